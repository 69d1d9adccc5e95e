/** A clock in milliseconds that stands still until it is told to move. */

var MOST_FIRED = 20000;

exports.make = function (promises) {
    var now = 1000000;
    var planned = [];
    var count = 0;

    function due(until) {
        var first = null;
        planned.forEach(function (timer) {
            if (timer.at <= until && (!first || timer.at < first.at)) {
                first = timer;
            }
        });
        return first;
    }

    function drop(timer) {
        planned = planned.filter(function (other) {
            return other !== timer;
        });
    }

    return {
        now: function () {
            return now;
        },
        after: function (ms, fn) {
            var timer = {id: ++count, at: now + Math.max(0, ms), fn: fn};
            planned.push(timer);
            return timer.id;
        },
        cancel: function (id) {
            planned = planned.filter(function (timer) {
                return timer.id !== id;
            });
        },
        /** Let time pass, and everything happen that is due. */
        advance: function (ms) {
            var until = now + ms;
            var fired = 0;
            var timer;
            promises.flush();
            for (timer = due(until); timer; timer = due(until)) {
                now = Math.max(now, timer.at);
                drop(timer);
                if (++fired > MOST_FIRED) {
                    throw new Error('Something goes round in circles: ' + timer.fn);
                }
                timer.fn();
                promises.flush();
            }
            now = until;
        },
        /** The computer sleeps: time passes and nothing happens, then all that was due comes at once. */
        sleep: function (ms) {
            now += ms;
        },
        /** @returns {number} of timers that are planned */
        planned: function () {
            return planned.length;
        }
    };
};
