window.claudeTerminal = window.claudeTerminal || {};

/** A session in a few words: what is shown of it in a list and above its terminal. */
(function (ns) {
    'use strict';

    var MINUTE_S = 60;
    var HOUR_S = 3600;
    var DAY_S = 86400;

    /** @typedef {{text: string, tone: string, hint: string}} Words tone: a colour; hint: a whole sentence */
    function words(text, tone, hint) {
        return {text: text, tone: tone, hint: hint};
    }

    var STATES = {
        starting: words('Starting', 'warn', 'Claude is being started.'),
        running: words('Running', 'good', 'Claude waits for you.'),
        busy: words('Busy', 'warn', 'Claude is working.'),
        awaiting_input: words('Asks a question', 'accent', 'Claude asks a question in the terminal.'),
        hibernated: words('Hibernated', '', 'Claude sleeps; the next key you press wakes it.'),
        interrupted: words('Interrupted', 'warn', 'Claude was cut off; the next key you press goes on.'),
        terminated: words('Ended', '', 'The session has ended.'),
        failed: words('Ended', 'bad', 'The session failed.')
    };
    var CONNECTING = words('Connecting', '', 'The terminal is being connected.');
    var UNREACHABLE = words('Unreachable', 'bad', 'The session cannot be reached at the moment.');

    ns.Label = {
        /** @param {{state: string, activity: string, reachable: boolean, problem: ?string}} session */
        state: function (session) {
            var known = session && STATES[session.state];
            if (!known) {
                return CONNECTING;
            }
            if (!ns.Label.ended(session) && session.reachable === false) {
                return words(UNREACHABLE.text, UNREACHABLE.tone,
                    typeof session.problem === 'string' && session.problem || UNREACHABLE.hint);
            }
            return session.state === 'running' && STATES[session.activity] || known;
        },

        /** @returns {boolean} whether it will never run again */
        ended: function (session) {
            return !!session && (session.state === 'terminated' || session.state === 'failed');
        },

        /** @param {?string} time RFC 3339 @param {number} now in ms @returns {string} how long ago */
        age: function (time, now) {
            var seconds = Math.max(0, (now - Date.parse(time || '')) / 1000);
            if (isNaN(seconds)) {
                return '';
            }
            return seconds < MINUTE_S ? 'just now' :
                seconds < HOUR_S ? Math.floor(seconds / MINUTE_S) + ' min ago' :
                    seconds < DAY_S ? Math.floor(seconds / HOUR_S) + ' h ago' :
                        Math.floor(seconds / DAY_S) + ' d ago';
        },

        /** @param {?number} ms @returns {string} such as "0.4 s" */
        latency: function (ms) {
            return typeof ms === 'number' && isFinite(ms) ? (ms / 1000).toFixed(1) + ' s' : '';
        },

        /**
         * @param {number} now in ms
         * @returns {Object[]} the sessions, each with its `label`; those that have ended come last
         */
        all: function (sessions, now) {
            var ended = ns.Label.ended;
            sessions.forEach(function (session) {
                session.label = {name: ns.Label.name(session), state: ns.Label.state(session),
                    age: ns.Label.age(session.lastActivityAt || session.createdAt, now)};
            });
            return sessions.filter(function (session) {
                return !ended(session);
            }).concat(sessions.filter(ended));
        },

        /** @returns {string} the name under which its user knows it */
        name: function (session) {
            return session.workspaceType === 'persistent' ? session.workspaceName || 'default' :
                'Scratch ' + String(session.sessionId).substring(0, 4);
        }
    };
}(window.claudeTerminal));
