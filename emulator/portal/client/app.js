/**
 * The page's application. Widgets bring code later, so what Angular offers only while it starts is kept.
 */
(function (angular, window) {
    'use strict';

    var app = angular.module('sp', []);

    app.config(['$compileProvider', '$controllerProvider', '$provide', '$filterProvider', '$httpProvider',
        '$locationProvider', function ($compile, $controller, $provide, $filter, $http, $location) {
            $compile.debugInfoEnabled(false);
            $location.html5Mode({enabled: true, requireBase: false, rewriteLinks: false});
            $http.defaults.headers.common['X-UserToken'] = window.g_ck;
            $http.defaults.headers.common.Accept = 'application/json';
            app.late = {
                directive: $compile.directive, controller: $controller.register, factory: $provide.factory,
                service: $provide.service, filter: $filter.register
            };
        }]);

    /** Time as the parts below see it. */
    app.constant('spTimers', {
        after: function (ms, work) { return window.setTimeout(work, ms); },
        cancel: function (handle) { window.clearTimeout(handle); }
    });

    // What AngularJS says of an error in a widget is for its developer.
    app.factory('$exceptionHandler', ['$log', function ($log) {
        return function (error) { $log.error(error); };
    }]);

    window.spApp = app;
}(window.angular, window));
