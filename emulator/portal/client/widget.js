/**
 * One widget: its dependencies first, then template, controller and link function, unchanged as they are in the
 * record. [widget-dev-guide]
 */
(function (app, window) {
    'use strict';

    var angular = window.angular;
    var styled = {};
    var provided = {};

    /**
     * Run a record's script and give what it leaves in `api`. A script element, so that errors have their place
     * and the developer tools show it as a file.
     */
    function run(source, name, member) {
        var made = window.document.createElement('script');
        var bare = !new RegExp('\\bapi\\.' + member + '\\s*=').test(source);
        window.spApi = {};
        made.text = '(function (api) {\n' + (bare ? 'api.' + member + ' = ' : '') + source +
            '\n}(window.spApi));\n//# sourceURL=' + name + '.js';
        window.document.head.appendChild(made);
        made.remove();
        return window.spApi[member];
    }

    /** The client script in either of its two forms. */
    function controllerOf(model) {
        return model.client_script.trim() ?
            run(model.client_script, 'sp_widget/' + (model.id || model.sys_id), 'controller') : angular.noop;
    }

    function linkOf(model) {
        return model.link.trim() ?
            run(model.link, 'sp_widget_link/' + (model.id || model.sys_id), 'link') : null;
    }

    function style(id, css) {
        var made;
        if (css.trim() && !styled[id]) {
            styled[id] = true;
            made = window.document.createElement('style');
            made.textContent = css;
            window.document.head.appendChild(made);
        }
    }

    /** Once a page, however many widgets have it: a directive that is there twice is an error of Angular's. */
    function provide(each) {
        var register = app.late[each.type];
        var made = register && !provided[each.name] ?
            run(each.script, 'sp_angular_provider/' + each.name, 'provider') : null;
        if (typeof made === 'function') {
            provided[each.name] = true;
            register(each.name, made);
        }
    }

    app.directive('spWidget', ['$compile', '$controller', '$templateCache', 'spLoader', 'spServer',
        'spNotices', function ($compile, $controller, $templateCache, loader, server, notices) {
            function prepare(scope, model) {
                var portal = scope.portal || {};
                scope.data = model.data || {};
                scope.options = model.options || {};
                scope.widget = model;
                scope.server = server.of(model, scope);
                scope.user = scope.user || {};
                scope.portal = portal;
                style(model.sys_id, model.css || '');
                style('x' + model.rectangle_id, model.instance_css || '');
                model.ngTemplates.forEach(function (each) { $templateCache.put(each.id, each.template); });
                model.providers.forEach(provide);
            }

            function control(scope, model, element) {
                var controller = controllerOf(model);
                var make;
                if (typeof controller !== 'function') {
                    notices.add('error',
                        'The client script of the widget ' + model.name + ' is not a function.');
                    return null;
                }
                make = $controller(controller, {$scope: scope, $element: element}, true, model.controllerAs);
                angular.extend(make.instance, {
                    data: scope.data, options: scope.options, server: scope.server, widget: model,
                    portal: scope.portal, page: scope.page, user: scope.user
                });
                return make();
            }

            function show(scope, model, element) {
                var link = linkOf(model);
                var controller;
                element.html(model.template);
                try {
                    controller = control(scope, model, element);
                } catch (error) {
                    notices.add('error', 'Error in the client script of the widget ' + model.name + ': ' +
                        error.message);
                    throw error;
                } finally {
                    $compile(element.contents())(scope);
                }
                if (link) {
                    link(scope, element, {}, controller);
                }
            }

            return {
                scope: true,
                link: function (outer, element, attributes) {
                    var model = outer.$eval(attributes.widget);
                    var scope = outer.$new();
                    if (!model) {
                        return;
                    }
                    element.addClass('v' + model.sys_id);
                    server.notify(model);
                    prepare(scope, model);
                    loader.load(model.dependencies).then(function () { show(scope, model, element); });
                }
            };
        }]);
}(window.spApp, window));
