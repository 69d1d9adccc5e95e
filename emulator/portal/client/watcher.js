/**
 * Watching rows: a channel for each table and filter. [OOB Kingston, SNCLI]
 */
(function (app) {
    'use strict';

    /** Nobody may watch these. */
    var BLOCKED = /^sys_(amb_message$|rw)/;

    /** What only sorts or ends a query is no condition. */
    function conditions(filter) {
        return filter.replace(/\^EQ$/, '').replace(/\^EQ(?=\^)/g, '').replace(/\^?ORDERBY(DESC)?[^\^]*/g, '');
    }

    app.factory('snRecordWatcher', ['$window', '$log', '$rootScope', 'spAmb', function ($window, $log,
        $rootScope, amb) {
        function channelOf(table, filter) {
            // '=' has no place in the name of a channel.
            return '/rw/default/' + table + '/' + $window.btoa(conditions(filter)).replace(/=/g, '-');
        }

        return {
            /** @returns {{subscribe: function(function), unsubscribe: function()}} */
            initChannel: function (table, filter) {
                var channel = channelOf(table, filter || 'sys_id!=-1');
                var ends = [];
                if (BLOCKED.test(table)) {
                    $log.error('The table ' + table + ' cannot be watched');
                }
                return {
                    subscribe: function (callback) {
                        ends.push(amb.subscribe(channel, function (event) {
                            callback(event);
                            $rootScope.$broadcast('record.updated', event.data);
                        }));
                    },
                    unsubscribe: function () {
                        ends.splice(0).forEach(function (end) { end(); });
                    }
                };
            }
        };
    }]);
}(window.spApp));
