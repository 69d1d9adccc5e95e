/**
 * Runs before anything else of a page with an xterm in it: tells when something was painted, in the page's own time,
 * so that what drives the browser is not measured.
 */
(function () {
    'use strict';

    var ROWS = '.xterm-rows > div';
    var painted = {parsed: 0};
    var Terminal;

    /** @returns {string} the painted rows */
    painted.text = function () {
        return Array.prototype.map.call(document.querySelectorAll(ROWS), function (row) {
            return row.textContent.replace(/\u00a0/g, ' ');
        }).join('\n');
    };

    /** Call `fn` with the time of the frame in which `condition` was true, looked at in each. */
    function whenPainted(condition, fn) {
        window.requestAnimationFrame(function look() {
            if (condition()) {
                fn(window.performance.now());
            } else {
                window.requestAnimationFrame(look);
            }
        });
    }

    /**
     * Begin to wait; the next key pressed starts the clock.
     *
     * @param {?string} wanted what has to be painted; null: anything that was not there before the key
     */
    painted.afterKey = function (wanted) {
        painted.took = new Promise(function (resolve) {
            document.addEventListener('keydown', function () {
                var began = window.performance.now();
                var before = painted.text();
                whenPainted(function () {
                    return wanted === null ? painted.text() !== before : painted.text().indexOf(wanted) >= 0;
                }, function (at) {
                    resolve(at - began);
                });
            }, {capture: true, once: true});
        });
    };

    /** Begin to wait for so many more bytes of output; the next key pressed starts the clock. */
    painted.afterBytes = function (count) {
        painted.took = new Promise(function (resolve) {
            document.addEventListener('keydown', function () {
                var began = window.performance.now();
                var end = painted.parsed + count;
                whenPainted(function () {
                    return painted.parsed >= end;
                }, function (at) {
                    resolve(at - began);
                });
            }, {capture: true, once: true});
        });
    };

    /** @returns {Promise} milliseconds from the beginning of this page until `wanted` was painted */
    painted.sinceLoad = function (wanted) {
        return new Promise(function (resolve) {
            whenPainted(function () {
                return painted.text().indexOf(wanted) >= 0;
            }, resolve);
        });
    };

    /** Count what xterm has taken in, whoever gives it. */
    function counting(Original) {
        var write = Original.prototype.write;
        Original.prototype.write = function (data, done) {
            return write.call(this, data, function () {
                painted.parsed += data.length;
                if (done) {
                    done();
                }
            });
        };
        return Original;
    }

    Object.defineProperty(window, 'Terminal', {
        configurable: true,
        get: function () {
            return Terminal;
        },
        set: function (Original) {
            Terminal = counting(Original);
        }
    });
    window.painted = painted;
}());
