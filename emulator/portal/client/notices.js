/**
 * Messages above the page: errors stay until they are closed, small ones go by themselves. [spUtilAPI]
 */
(function (app) {
    'use strict';

    var TRIVIAL_MS = 5000;

    app.service('spNotices', ['$timeout', function ($timeout) {
        var notices = this;
        var count = 0;

        notices.all = [];

        /** @param {string} type error, warning, info or trivial */
        notices.add = function (type, text) {
            var notice = {id: count += 1, type: type, text: String(text)};
            notices.all.push(notice);
            if (type === 'trivial') {
                $timeout(function () { notices.close(notice); }, TRIVIAL_MS);
            }
        };

        notices.close = function (notice) {
            notices.all = notices.all.filter(function (each) { return each !== notice; });
        };
    }]);

    app.directive('spNotices', ['spNotices', function (notices) {
        return {
            scope: {},
            template: '<div class="sp-notices" aria-live="assertive">' +
                '<div ng-repeat="each in notices.all track by each.id" ' +
                'class="sp-notice sp-notice-{{each.type}}" ' +
                'role="{{each.type === \'error\' ? \'alert\' : \'status\'}}"><span>{{each.text}}</span>' +
                '<button type="button" aria-label="Close the message" ng-click="notices.close(each)">' +
                '&times;</button></div></div>',
            link: function (scope) { scope.notices = notices; }
        };
    }]);
}(window.spApp));
