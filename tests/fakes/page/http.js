/**
 * AngularJS's $http, as far as the classes use it. `http.serve` is asked what becomes of a call and gives
 * `{status, data, headers, after, hangs}`; a call that hangs ends with its timeout.
 */

exports.make = function (timers, promises) {
    var WAY_MS = 25;

    function http(config) {
        var deferred = promises.defer();
        var call = {method: config.method, path: config.url.replace('/api/x_claude_terminal/v1', ''),
            body: config.data && JSON.parse(JSON.stringify(config.data)), at: timers.now()};
        http.calls.push(call);
        timers.after(WAY_MS, function () {
            var answer = http.serve(call);
            if (answer.status === undefined && !answer.hangs) {
                answer = {status: 200, data: {result: answer}};
            }
            timers.after(answer.hangs ? config.timeout : WAY_MS + (answer.after || 0), function () {
                settle(deferred, answer);
            });
        });
        return deferred.promise;
    }

    function settle(deferred, answer) {
        var headers = answer.headers || {};
        var told = {status: answer.hangs ? -1 : answer.status,
            data: answer.data === undefined ? null : answer.data, headers: function (name) {
                return headers[name] === undefined ? null : headers[name];
            }};
        if (told.status >= 200 && told.status < 300) {
            deferred.resolve(told);
        } else {
            deferred.reject(told);
        }
    }

    http.calls = [];
    http.serve = function () {
        return {};
    };
    /** @returns {Object} an error of the application */
    http.problem = function (status, title, detail) {
        return {status: status, data: {status: 'failure',
            error: {status: status, title: title, detail: detail || '', message: title}}};
    };
    /** @returns {Object} what a proxy says */
    http.page = function (status) {
        return {status: status, data: '<html><body>Bad gateway</body></html>'};
    };
    return http;
};
