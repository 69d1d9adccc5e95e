/** Stores an API key: seals it in this browser, sends it on its way, and tells when the sidecar has it. */
api.controller = function ($scope, $http, $q, $timeout, $window, $document) {
    var c = this;
    var ns = $window.claudeTerminal;
    var LOOK_MS = 4000;
    var LOOKS_LIKE_A_KEY = /^sk-ant-[A-Za-z0-9_-]{20,}$/;
    var calls = new ns.Calls({http: $http, promises: $q, timers: {now: Date.now, after: later,
        cancel: $timeout.cancel}});
    var skew = c.data.now - Date.now();
    var look = null;
    var outdated = {};

    c.steps = ['Sealed in this browser', 'On its way through the queue', 'Stored'];
    c.form = {mid: firstUp(), key: ''};
    c.progress = null;
    c.banner = null;
    c.removing = null;
    c.said = '';

    /** The key as it will be sealed: what is pasted often has a line's end with it. */
    function typed() {
        return (c.form.key || '').trim();
    }

    /** Only a warning: what a key looks like is Anthropic's to change. */
    c.unusual = function () {
        return typed() !== '' && !LOOKS_LIKE_A_KEY.test(typed());
    };

    c.ready = function () {
        return !busy() && c.form.mid && typed() !== '';
    };

    c.store = function () {
        var mid = named(c.form.mid);
        if (!c.ready()) {
            return;
        }
        c.banner = null;
        advance(mid, 0);
        publicKey(mid).then(function (jwk) {
            return sealed(jwk, mid);
        }).then(function (body) {
            advance(mid, 1);
            return calls.ask('POST', '/credentials', body, {onLate: late});
        }).then(function () {
            advance(mid, c.steps.length);
            tell('good', 'Your key is stored on ' + mid.name, 'New sessions use it from now on.');
        }).then(null, function (why) {
            outdated[mid.name] = true;
            c.progress = null;
            failed(why);
        }).then(refresh);
    };

    c.state = function (credential) {
        return {stored: 'Stored', pending: credential.problem ? 'Waiting' : 'On its way', failed: 'Refused',
            deleting: 'Being removed'}[credential.state] || credential.state;
    };

    c.tone = function (state) {
        return {stored: 'ct-good', up: 'ct-good', failed: 'ct-bad', down: 'ct-bad'}[state] || 'ct-warn';
    };

    c.word = function (state) {
        return {up: 'Up', down: 'Down'}[state] || 'Not checked yet';
    };

    c.removable = function (credential) {
        return credential.state === 'stored' || credential.state === 'failed';
    };

    c.ask = function (credential) {
        c.removing = credential.id;
        focus('ct-keep-' + credential.id);
    };

    c.keep = function (credential) {
        c.removing = null;
        focus('ct-remove-' + credential.id);
    };

    c.remove = function (credential) {
        c.removing = null;
        c.banner = null;
        credential.state = 'deleting';
        c.said = 'Removing the key that ends in ' + credential.hint + '.';
        calls.ask('DELETE', '/credentials/' + credential.id, null, {onLate: late}).then(function () {
            tell('good', 'The key is removed', 'The one that ended in ' + credential.hint + ' on ' +
                credential.mid + ' is erased there.');
        }, failed).then(refresh).then(function () {
            focus('ct-keys');
        });
    };

    function later(ms, fn) {
        return $timeout(fn, ms);
    }

    function busy() {
        return c.progress !== null && c.progress.step < c.steps.length;
    }

    function named(name) {
        return c.data.mids.filter(function (mid) {
            return mid.name === name;
        })[0];
    }

    function firstUp() {
        var up = (c.data.mids || []).filter(function (mid) {
            return mid.state === 'up';
        })[0];
        return up ? up.name : null;
    }

    /**
     * @returns {Promise} of the public key that the instance knows. It is asked for when there is none, or when
     *     the last try failed: whatever was wrong, that is what the sidecar advises.
     */
    function publicKey(mid) {
        if (mid.jwk && !outdated[mid.name]) {
            return $q.when(mid.jwk);
        }
        return calls.ask('POST', '/mids/' + encodeURIComponent(mid.name) + '/key', null, {onLate: late})
            .then(refresh).then(function () {
                outdated[mid.name] = false;
                return named(mid.name).jwk ||
                    $q.reject(new Error('The sidecar beside ' + mid.name + ' gave no key. Try again.'));
            });
    }

    /** @returns {Promise} of the body to send; the key is in no model and no field any more when it begins */
    function sealed(jwk, mid) {
        var key = typed();
        var user = c.data.user.id;
        c.form.key = '';
        return $q.when(ns.trusted(jwk, c.data.sealingKeys)).then(function () {
            return ns.seal(jwk, key, user, (Date.now() + skew) / 1000);
        }).then(function (jwe) {
            return {mid: mid.name, sealed: jwe, kid: jwk.kid, hint: key.slice(-4)};
        });
    }

    function advance(mid, step) {
        c.progress = {mid: mid.name, step: step, late: ''};
        c.said = step < c.steps.length ? c.steps[step] + '.' : '';
    }

    function late(problem) {
        var advice = ns.Problem.of(problem).advice();
        if (busy()) {
            c.progress.late = advice.text;
        }
        c.said = advice.title + '. ' + advice.text;
    }

    function tell(tone, title, text) {
        c.banner = {tone: tone, title: title, text: text};
        c.said = '';
    }

    function failed(why) {
        var problem = why instanceof Error ? null : ns.Problem.of(why);
        var advice = problem && !inOurWords(problem) ? problem.advice() : {title: 'That did not work',
            text: problem ? problem.detail : why.message};
        tell('bad', advice.title, advice.text);
    }

    /** The application's own sentence says more here than what is said of sessions. */
    function inOurWords(problem) {
        return problem.detail && problem.status >= 404 && problem.status <= 422;
    }

    function refresh() {
        return c.server.get({action: 'list'}).then(function (answer) {
            c.data.mids = answer.data.mids || [];
            c.data.credentials = answer.data.credentials || [];
            c.form.mid = c.form.mid || firstUp();
        }, function () {
            return null; // what is shown stays; the next look may find the instance again
        }).then(watch);
    }

    /** What is under way ends by itself, perhaps when a MID Server is back. */
    function watch() {
        var open = c.data.credentials.some(function (credential) {
            return !c.removable(credential);
        });
        $timeout.cancel(look);
        look = open ? $timeout(function () {
            return $document[0].hidden ? watch() : refresh();
        }, LOOK_MS) : null;
    }

    function focus(id) {
        $timeout(function () {
            var found = $document[0].getElementById(id);
            if (found) {
                found.focus();
            }
        });
    }

    /** A page that is left may be kept by the browser, with what is in its fields. */
    function forget() {
        c.form.key = '';
        $scope.$applyAsync();
    }

    $window.addEventListener('pagehide', forget);
    $scope.$on('$destroy', function () {
        $window.removeEventListener('pagehide', forget);
        $timeout.cancel(look);
    });
    if (c.data.allowed) {
        watch();
    }
};
