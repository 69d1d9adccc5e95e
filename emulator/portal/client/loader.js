/**
 * Loads what widgets depend on: each file once, scripts in their order. [widget-dependencies]
 */
(function (app) {
    'use strict';

    app.service('spLoader', ['$q', '$document', '$injector', 'spNotices', function ($q, $document, $injector,
        notices) {
        var head = $document[0].head;
        var known = {};

        function element(address) {
            var isScript = !/\.css(dbx)?(\?|$)/.test(address);
            var made = $document[0].createElement(isScript ? 'script' : 'link');
            if (isScript) {
                made.src = address;
                // They are fetched side by side and run one after the other.
                made.async = false;
            } else {
                made.rel = 'stylesheet';
                made.href = address;
            }
            return made;
        }

        /** Those that came with the document are there. */
        function present(address) {
            var all = head.querySelectorAll('script[src],link[href]');
            return Array.prototype.some.call(all, function (each) {
                return each.getAttribute('src') === address || each.getAttribute('href') === address;
            });
        }

        // A file that is missing is told and waited for no longer: the widget then says what it lacks.
        function loaded(address) {
            if (known[address]) {
                return known[address];
            }
            known[address] = present(address) ? $q.when() : $q(function (resolve) {
                var made = element(address);
                made.onload = resolve;
                made.onerror = function () {
                    notices.add('error', 'A file that a widget needs cannot be loaded: ' + address);
                    resolve();
                };
                head.appendChild(made);
            });
            return known[address];
        }

        function started(dependencies) {
            var names = dependencies.map(function (each) { return each.module; }).filter(Boolean);
            if (names.length) {
                $injector.loadNewModules(names);
            }
        }

        /** @returns {Promise} when all of it is there */
        this.load = function (dependencies) {
            var all = dependencies.reduce(function (list, each) {
                return list.concat(each.styles, each.scripts);
            }, []);
            return $q.all(all.map(loaded)).then(function () { started(dependencies); });
        };
    }]);
}(window.spApp));
