/**
 * A widget's calls to its server script. [widget-api-reference, OOB service.spUtil]
 */
(function (app, window) {
    'use strict';

    app.service('spServer', ['$http', '$location', '$q', 'spNotices', function ($http, $location, $q,
        notices) {
        function address(kind, sysId) {
            return '/api/now/sp/' + kind + '/' + encodeURIComponent(sysId);
        }

        function notify(result) {
            (result.$$uiNotification || []).forEach(function (each) {
                notices.add(each.type, each.message);
            });
            return result;
        }

        function failed(response) {
            notices.add('error', response.status > 0 ?
                'The server refused the widget\'s call (' + response.status + ').' :
                'The instance cannot be reached.');
            return $q.reject(response);
        }

        function post(url, input, quiet) {
            return $http.post(url, input === undefined ? '' : input, {
                params: $location.search(), headers: {'x-portal': window.NOW.portal_id}
            }).then(function (response) { return notify(response.data.result); },
                quiet ? undefined : failed);
        }

        /** @returns {Promise<Object>} the model of another widget */
        this.widget = function (id, input) {
            return post(address('widget', id), input);
        };

        /** Show what the server script of a first load had to say. */
        this.notify = notify;

        /**
         * @param {Object} model of the widget
         * @param {Object} scope whose data and options it changes
         * @returns {{get: function, update: function, refresh: function}} `c.server`
         */
        this.of = function (model, scope) {
            var url = model.rectangle_id ? address('rectangle', model.rectangle_id) :
                address('widget', model.sys_id);

            // In place: the controller and the scope hold the same objects.
            function take(result) {
                window.angular.copy(result.data, scope.data);
                window.angular.copy(result.options, scope.options);
                return scope.data;
            }

            return {
                get: function (input) { return post(url, input); },
                update: function () { return post(url, scope.data).then(take); },
                refresh: function () { return post(url, undefined).then(take); }
            };
        };
    }]);
}(window.spApp, window));
