/**
 * The page: header with the menu, then containers, rows and columns with the widgets in them.
 */
(function (app, window) {
    'use strict';

    var ROWS = '<div ng-repeat="row in {0}" class="row {{row.classes}}">' +
        '<div ng-repeat="column in row.columns" class="{{column.classes}}">' +
        '<div ng-repeat="model in column.widgets" id="x{{model.rectangle_id}}" class="{{model.classes}}">' +
        '<sp-widget widget="model"></sp-widget></div>' +
        '<sp-rows ng-if="column.rows.length" rows="column.rows"></sp-rows></div></div>';

    var HEADER = '<header class="sp-header"><a class="sp-brand" ng-href="/{{portal.url_suffix}}">' +
        '{{portal.title}}</a><nav aria-label="Portal"><a ng-repeat="item in menu" ng-href="{{item.href}}" ' +
        'ng-class="{\'sp-current\': item.page && item.page === page.id}" ' +
        'aria-current="{{item.page && item.page === page.id ? \'page\' : \'false\'}}">' +
        '{{item.label}}</a></nav>' +
        '<span class="sp-user"><span class="sp-name">{{user.name}}</span> ' +
        '<a href="/logout.do">Sign out</a></span></header>';

    var PAGE = '<div ng-if="portal">' + HEADER + '<sp-notices></sp-notices><main class="sp-main">' +
        '<div ng-if="problem" class="sp-problem" role="alert"><h1>{{problem.title}}</h1>' +
        '<p>{{problem.text}}</p></div>' +
        '<section ng-repeat="container in containers" class="{{container.width}} {{container.classes}}" ' +
        'aria-label="{{container.label}}"><sp-rows rows="container.rows"></sp-rows></section></main></div>';

    // Rows may stand in columns of rows.
    app.directive('spRows', ['$compile', function ($compile) {
        return {
            scope: true,
            link: function (scope, element, attributes) {
                scope.rows = scope.$eval(attributes.rows);
                element.html(ROWS.replace('{0}', 'rows'));
                $compile(element.contents())(scope);
            }
        };
    }]);

    app.directive('spPage', ['$http', '$window', '$location', '$rootScope', function ($http, $window,
        $location, root) {
        function signIn() {
            var wish = ($window.location.pathname + $window.location.search).slice(1);
            $window.location.assign('/login.do?sysparm_goto_url=' + encodeURIComponent(wish));
        }

        function show(scope, content) {
            window.angular.extend(scope, content);
            root.page = content.page;
            root.portal = content.portal;
            root.user = content.user;
            if (content.page) {
                $window.document.title = content.page.title + ' - ' + content.portal.title;
            }
        }

        function failed(scope, response) {
            if (response.status === 401) {
                signIn();
                return;
            }
            show(scope, {
                portal: {title: window.NOW.portal_title, url_suffix: window.NOW.portal_url_suffix}, menu: [],
                user: {name: window.NOW.user.name}, page: null, containers: [], problem: {
                    title: 'The page cannot be shown', text: response.status > 0 ?
                        'The instance answered ' + response.status + '.' : 'The instance cannot be reached.'
                }
            });
        }

        return {
            scope: true,
            template: PAGE,
            link: function (scope) {
                var parameters = window.angular.extend({}, $location.search(), {
                    portal_id: window.NOW.portal_id
                });
                $http.get('/api/now/sp/page', {params: parameters}).then(function (response) {
                    show(scope, response.data.result);
                }, function (response) { failed(scope, response); });
            }
        };
    }]);
}(window.spApp, window));
