/** The dashboard of administrators: looks every 15 seconds while somebody can see it. */
api.controller = function ($scope, $http, $q, $timeout, $window, $document) {
    var c = this;
    var ns = $window.claudeTerminal;
    var EVERY_MS = 15000;
    var NAMES = {create: 'Start a session', command: 'Type', output: 'Fetch output',
        outputs: 'Wait for output', screen: 'Fetch the screen', status: 'Look at a session', resize: 'Resize',
        terminate: 'End a session', list: 'List sessions', health: 'Check health',
        'sealing_key': 'Fetch the public key', 'credential.store': 'Store a key',
        'credential.delete': 'Remove a key'};
    var TONES = {up: 'ct-good', running: 'ct-good', down: 'ct-bad', failed: 'ct-bad', terminated: ''};
    var ENDED = ['terminated', 'failed'];
    var calls = new ns.Calls({http: $http, promises: $q, timers: {now: Date.now, after: function (ms, fn) {
        return $timeout(fn, ms);
    }, cancel: $timeout.cancel}});
    var timer = null;
    var asked = 0;
    var gone = false;

    c.filter = {event: null, text: '', offset: 0};
    c.checks = {};
    c.problem = null;
    c.said = '';

    c.operation = function (op) {
        return NAMES[op] || op;
    };

    c.tone = function (state) {
        return TONES[state] === undefined ? 'ct-warn' : TONES[state];
    };

    c.word = function (state) {
        return state.charAt(0).toUpperCase() + state.substring(1);
    };

    /** @returns {string} such as '0.42 s'; with a whole second's resolution never more digits than are known */
    c.seconds = function (ms, exact) {
        if (ms === null || ms === undefined) {
            return '–';
        }
        if (exact === false) {
            return ms < 1000 ? 'under 1 s' : '≈ ' + Math.round(ms / 1000) + ' s';
        }
        return (ms / 1000).toFixed(ms < 9950 ? 2 : 0) + ' s';
    };

    /** @returns {string} how long before the instance's own time, so that this computer's clock may be wrong */
    c.ago = function (time) {
        var seconds = time ? Math.max(0, (Date.parse(c.now.at) - Date.parse(time)) / 1000) : NaN;
        if (isNaN(seconds)) {
            return 'never';
        }
        return seconds < 100 ? Math.round(seconds) + ' s ago' : seconds < 6000 ?
            Math.round(seconds / 60) + ' min ago' : Math.round(seconds / 3600) + ' h ago';
    };

    /** @returns {string} one name may be a MID Server's and a poller's */
    c.way = function (mid) {
        return mid.bridge + ' ' + mid.name;
    };

    c.kind = function (mid) {
        return mid.bridge === 'poller' ? 'Poller' : 'MID Server';
    };

    c.check = function (mid) {
        var path = '/mids/' + encodeURIComponent(mid.name) + '/health';
        var way = c.way(mid);
        c.checks[way] = {under: true, text: ''};
        c.said = 'Checking ' + mid.name + '.';
        calls.ask('POST', path, {bridge: mid.bridge}, {onLate: function (late) {
            c.checks[way].text = late.advice().text;
        }}).then(function () {
            c.checks[way] = {text: 'Checked just now.'};
        }, function (problem) {
            c.checks[way] = {text: ns.Problem.of(problem).advice().text};
        }).then(function () {
            c.said = mid.name + ': ' + c.checks[way].text;
            return look();
        });
    };

    c.filtered = function () {
        c.turn(0);
    };

    c.turn = function (offset) {
        c.filter.offset = Math.max(0, offset);
        audit();
    };

    c.last = function () {
        return Math.min(c.now.audit.offset + c.now.audit.items.length, c.now.audit.total);
    };

    function wanted(action) {
        return {action: action, event: c.filter.event || '', text: c.filter.text || '',
            offset: c.filter.offset};
    }

    function audit() {
        var mine = ++asked;
        c.server.get(wanted('audit')).then(function (answer) {
            if (mine === asked && answer.data.audit) {
                c.now.audit = answer.data.audit;
                c.filter.offset = c.now.audit.offset;
                c.said = c.now.audit.total + ' entries.';
            }
        }, missed);
    }

    function look() {
        var mine = asked;
        $timeout.cancel(timer);
        timer = null;
        return c.server.get(wanted('all')).then(function (answer) {
            c.problem = null;
            show(answer.data, mine === asked);
        }, missed).then(again);
    }

    function again() {
        $timeout.cancel(timer);
        timer = gone || $document[0].hidden ? null : $timeout(look, EVERY_MS);
    }

    function missed(answer) {
        c.problem = ns.Problem.of(answer).advice();
    }

    /** @param {boolean} current whether the audit's filter is still the one that was asked for */
    function show(data, current) {
        var kept = c.now ? c.now.audit : null;
        c.data.allowed = data.allowed;
        if (!data.overview) {
            return;
        }
        c.now = data.overview;
        if (current || !kept) {
            c.filter.offset = c.now.audit.offset;
        } else {
            c.now.audit = kept;
        }
        c.chart = chart(c.now.queue);
        c.totals = totals(c.now);
    }

    function totals(now) {
        var count = function (sum, group) {
            return sum + group.count;
        };
        return {
            up: now.mids.filter(function (mid) {
                return mid.state === 'up';
            }).length,
            active: now.sessions.filter(function (group) {
                return ENDED.indexOf(group.state) < 0;
            }).reduce(count, 0),
            waiting: now.mids.reduce(function (sum, mid) {
                return sum + mid.waiting;
            }, 0),
            rows: now.queue.steps.reduce(function (sum, step) {
                return sum + step.output + step.input;
            }, 0)
        };
    }

    /** Bars in a box of 100 by 100 units, which the style stretches to the width there is. */
    function chart(queue) {
        var most = queue.steps.reduce(function (sofar, step) {
            return Math.max(sofar, step.output, step.input);
        }, 0);
        var top = ceiling(most);
        var width = 100 / queue.steps.length;
        return {top: top, middle: top / 2, bars: queue.steps.map(function (step, i) {
            return {at: step.at, output: step.output, input: step.input, left: i * width + width * 0.16,
                right: i * width + width * 0.51, width: width * 0.33, out: 100 * step.output / top,
                'in': 100 * step.input / top};
        })};
    }

    /** @returns {number} 10, 20, 50, 100, …: the first that is not below */
    function ceiling(number) {
        var power = 10;
        while (power * 5 < number) {
            power *= 10;
        }
        return number <= power ? power : number <= power * 2 ? power * 2 : power * 5;
    }

    function seen() {
        if ($document[0].hidden) {
            $timeout.cancel(timer);
            timer = null;
        } else if (timer === null) {
            look();
        }
    }

    if (c.data.allowed) {
        show(c.data, true);
        again();
        $document[0].addEventListener('visibilitychange', seen);
        $scope.$on('$destroy', function () {
            $document[0].removeEventListener('visibilitychange', seen);
            $timeout.cancel(timer);
            gone = true; // an answer under way starts nothing any more
        });
    }
};
