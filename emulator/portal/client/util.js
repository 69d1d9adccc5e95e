/**
 * `spUtil`: what widgets use of it. [spUtilAPI]
 */
(function (app, window) {
    'use strict';

    var UID_DIGITS = 32;
    var MOBILE = /Android|iPhone|iPad|Mobile/;

    app.factory('spUtil', ['$window', '$location', 'snRecordWatcher', 'spNotices', 'spServer',
        function ($window, $location, snRecordWatcher, notices, server) {
            function uid() {
                var bytes = $window.crypto.getRandomValues(new $window.Uint8Array(UID_DIGITS / 2));
                return Array.prototype.map.call(bytes, function (byte) {
                    return ('0' + byte.toString(16)).slice(-2);
                }).join('');
            }

            return {
                addErrorMessage: function (text) { notices.add('error', text); },
                addInfoMessage: function (text) { notices.add('info', text); },
                addTrivialMessage: function (text) { notices.add('trivial', text); },
                createUid: uid,
                format: function (template, data) {
                    return template.replace(/\{(\w+)\}/g, function (whole, name) {
                        return data[name] === undefined ? whole : data[name];
                    });
                },
                get: function (id, data) { return server.widget(id, data); },
                getHeaders: function () {
                    return {
                        'X-UserToken': window.g_ck, 'x-portal': window.NOW.portal_id,
                        Accept: 'application/json'
                    };
                },
                getHost: function () { return $location.host(); },
                getURL: function () { return $location.absUrl(); },
                isMobile: function () { return MOBILE.test($window.navigator.userAgent); },
                refresh: function (scope) { return scope.server.refresh(); },
                update: function (scope) { return scope.server.update(); },

                /** Without a callback the widget's whole server script runs again. */
                recordWatch: function (scope, table, filter, callback) {
                    var channel = snRecordWatcher.initChannel(table, filter);
                    channel.subscribe(callback || function () { scope.server.update(); });
                    scope.$on('$destroy', function () { channel.unsubscribe(); });
                }
            };
        }]);
}(window.spApp, window));
