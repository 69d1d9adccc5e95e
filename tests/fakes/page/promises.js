/** Promises as AngularJS's $q gives them: callbacks come later, when the queue is worked off. */

exports.make = function () {
    var queue = [];

    function thenable(value) {
        return value && typeof value.then === 'function';
    }

    function defer() {
        var state = 'open';
        var waiting = [];
        var result;

        function settle(to, value) {
            if (state !== 'open') {
                return;
            }
            state = to;
            result = value;
            waiting.splice(0).forEach(later);
        }

        function resolve(value) {
            if (thenable(value)) {
                value.then(resolve, reject);
            } else {
                settle('kept', value);
            }
        }

        function reject(error) {
            settle('broken', error);
        }

        function later(callback) {
            queue.push(callback);
        }

        function then(kept, broken) {
            var next = defer();
            var callback = function () {
                var fn = state === 'kept' ? kept : broken;
                if (typeof fn === 'function') {
                    next.resolve(fn(result));
                } else if (state === 'kept') {
                    next.resolve(result);
                } else {
                    next.reject(result);
                }
            };
            if (state === 'open') {
                waiting.push(callback);
            } else {
                later(callback);
            }
            return next.promise;
        }

        return {promise: {then: then}, resolve: resolve, reject: reject};
    }

    return {
        defer: defer,
        when: function (value) {
            var deferred = defer();
            deferred.resolve(value);
            return deferred.promise;
        },
        reject: function (error) {
            var deferred = defer();
            deferred.reject(error);
            return deferred.promise;
        },
        /** Work off what is due. What a callback throws ends the test: on a page it would be lost in a log. */
        flush: function () {
            while (queue.length) {
                queue.shift()();
            }
        }
    };
};
