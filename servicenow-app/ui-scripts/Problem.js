window.claudeTerminal = window.claudeTerminal || {};

/**
 * What went wrong between a page and Claude, and what a person can do about it. It never repeats a bare status.
 *
 * @typedef {{title: string, text: string, action: ?string}} Advice action: key, retry, new, admin or signin
 */
(function (ns) {
    'use strict';

    /** A title of the instance or the sidecar → what to say. {detail} stands for the problem's own sentence. */
    var TITLES = {
        'No API key': ['An API key is missing', '{detail} Claude works with your own Anthropic API key.',
            'key'],
        'Credential gone': ['Your API key was removed', 'This session used a stored key that is gone. ' +
            'Store a key, then start a new session.', 'key'],
        'MID Server not available': ['The MID Server is down', '{detail} Your session is kept, and this ' +
            'page goes on by itself when it is back.', 'retry'],
        'Poller not available': ['The poller does not run', '{detail} Your session is kept, and this ' +
            'page goes on by itself when it is back.', 'retry'],
        'No answer yet': ['The queue does not move', '{detail}', null],
        'Not answered yet': ['No answer has come yet', '{detail}', null],
        'Not sent yet': ['What you type is not sent yet', '{detail}', null],
        'No answer': ['No answer came', '{detail}', 'retry'],
        'Another tab writes': ['Another tab writes', 'This session is open for typing elsewhere. ' +
            'Here you can read along, or take over.', null],
        'Session ended': ['The session has ended', 'Its output can still be read. Start a new one to go on.',
            'new'],
        'Out of order': ['Some typing was lost', 'The connection failed for too long, and a few characters ' +
            'did not arrive. Look at the screen before you go on.', null],
        'Outcome unknown': ['It is not known whether that arrived', 'The sidecar was cut off in the ' +
            'middle. Look at the screen before you go on.', null],
        'Not set up': ['No MID Server is set up', '{detail}', 'admin'],
        'Queue refused the call': ['The ECC queue refused the call', '{detail}', 'admin'],
        'Draining': ['The sidecar is being serviced', 'It starts no new sessions now. Try again later.',
            'retry'],
        'Claude Code unavailable': ['Claude Code cannot be started', '{detail}', 'admin'],
        'Start failed': ['Claude did not start', '{detail}', 'new'],
        'Menu open': ['Claude asks a question', 'Answer the question on the screen first.', null],
        'Read only': ['You are reading along', '{detail}', null],
        'Typing lost': ['Some typing was lost', '{detail}', null],
        'Input stalled': ['Claude does not read what you type', 'Its program takes no input at the moment. ' +
            '{detail}', null],
        'Conversation in use': ['This conversation is open elsewhere', 'Another session has it. End that ' +
            'one, or start a new one here.', 'new'],
        'Limit reached': ['A limit is reached', '{detail} End a session that you no longer need, or wait ' +
            'until less is under way.', null],
        'Too many keys': ['You have stored as many keys as you may', '{detail} Remove one that you no ' +
            'longer need.', 'key'],
        'Too many calls': ['Too much waits already', '{detail} It goes on when some of it is answered.',
            'retry'],
        'Key reused': ['This page mixed two calls up', 'Reload the page, and look at what was done.', 'retry']
    };
    var SIDECAR = ['The sidecar does not answer', 'The way to its host is open, but the Claude service ' +
        'there is not up. This page goes on by itself when it is back. {detail}', 'retry'];
    /** A status → what to say when the title says nothing. */
    var STATUSES = {
        0: ['The instance cannot be reached', 'Check your network. This page goes on by itself.', 'retry'],
        400: ['The instance did not understand this page', 'Reload the page. {detail}', 'retry'],
        401: ['You are signed out', 'Sign in again. Your session goes on meanwhile.', 'signin'],
        403: ['You may not do this', '{detail} Ask an administrator for the role.', 'admin'],
        404: ['This is not there any more', '{detail}', 'retry'],
        409: ['This does not fit any more', '{detail}', 'retry'],
        413: ['That is too large', 'Send it in smaller pieces. {detail}', null],
        422: ['The instance refused this', '{detail}', null],
        429: ['Too fast', 'There were too many calls{after}. {detail}', 'retry'],
        500: ['The instance failed', '{detail}', 'admin'],
        502: SIDECAR,
        503: ['Not available now', '{detail}', 'retry'],
        504: SIDECAR
    };
    /** The instance tells nobody whether a session of somebody else exists. */
    var GONE = ['This session is gone', 'It has ended, or it is not yours.', 'new'];
    var NO_SESSION = /no such (session|resource)/; // the instance's words, and the sidecar's
    var NOT_REACHED = /did not reach the sidecar/;
    var NO_ROLE = 'It needs the role x_claude_terminal.user.';
    var HELD = 'What you typed is kept, and is sent then.';
    var BUSY = 'The instance, or something on the way to it, is busy.';
    var LONGEST_DETAIL = 300;

    /** @param {{status: number, title: string, detail: string, retryAfterMs: number, own: boolean}} told */
    function Problem(told) {
        this.status = told.status > 0 ? Number(told.status) : 0;
        this.title = told.title || '';
        this.detail = told.detail || '';
        this.retryAfterMs = told.retryAfterMs || 0;
        /** Whether the application said it, and not a proxy, the platform or the browser. */
        this.own = !!told.own;
        /** Bytes that were typed and wait until it is over. */
        this.held = 0;
    }

    /** @returns {?number} milliseconds that an HTTP header asks to wait: seconds, or a date */
    function retryAfter(answer) {
        var text = typeof answer.headers === 'function' ? answer.headers('Retry-After') : null;
        var date = text ? Date.parse(text) : NaN;
        var now = text ? Date.parse(answer.headers('Date')) : NaN;
        if (/^\d{1,6}$/.test(text || '')) {
            return Number(text) * 1000;
        }
        return date > now ? date - now : 0;
    }

    function short(text) {
        return typeof text === 'string' && !/[<>]/.test(text) ? text.substring(0, LONGEST_DETAIL) : '';
    }

    /** @returns {Problem} of an answer of $http, whoever has written it */
    function ofAnswer(answer) {
        var data = answer.data;
        var error = data && typeof data === 'object' && data.error ? data.error : {};
        var own = typeof error === 'object' && typeof error.title === 'string';
        return new Problem({status: answer.status, title: own ? error.title : '',
            detail: own || answer.status === 403 ? short(error.detail) : '',
            retryAfterMs: retryAfter(answer), own: own});
    }

    /**
     * @param {*} anything a Problem, an answer of $http, a problem as the instance stores it, or what was thrown
     * @returns {Problem}
     */
    Problem.of = function (anything) {
        if (anything instanceof Problem) {
            return anything;
        }
        if (anything && typeof anything === 'object' && typeof anything.status === 'number') {
            return typeof anything.title === 'string' ? new Problem({status: anything.status, own: true,
                title: anything.title, detail: short(anything.detail)}) : ofAnswer(anything);
        }
        return new Problem({status: 500, title: 'Fault',
            detail: short(anything && (anything.message || anything)) || 'This page failed. Reload it.'});
    };

    Problem.prototype = {
        /** @returns {boolean} whether the same may succeed later without anybody doing anything */
        passing: function () {
            return this.status === 429 || this._outside() || this.status >= 500;
        },

        /** @returns {boolean} whether it is not even known that the application was reached */
        unsure: function () {
            return this.status === 429 || this._outside();
        },

        /** @returns {Advice} */
        advice: function () {
            var said = this._said();
            var text = this._filled(said[1]);
            return {title: said[0], text: this.held ? text + ' ' + HELD : text, action: said[2]};
        },

        /** A proxy, or a platform that is being upgraded, knows no session: its 404 says nothing about ours. */
        _outside: function () {
            return this.status === 0 || !this.own && (this.status === 404 || this.status >= 500);
        },

        _said: function () {
            if (NOT_REACHED.test(this.detail)) {
                return SIDECAR; // whatever the title: the MID Server itself has said it
            }
            if (Object.prototype.hasOwnProperty.call(TITLES, this.title)) {
                return TITLES[this.title];
            }
            if (this.status && this._outside() && this.title !== 'Fault') {
                return STATUSES[503];
            }
            if (this.status === 404 && NO_SESSION.test(this.detail)) {
                return GONE;
            }
            return STATUSES[this.status] || STATUSES[this.status < 500 ? 400 : 500];
        },

        _filled: function (text) {
            var seconds = Math.ceil(this.retryAfterMs / 1000);
            var after = seconds ? '; try again in ' + seconds + ' s' : '';
            var detail = this.detail || (this.status === 403 ? NO_ROLE : this.own ? '' : BUSY);
            return text.replace('{detail}', detail).replace('{after}', after).trim();
        },

        toString: function () {
            return this.advice().title;
        }
    };

    ns.Problem = Problem;
}(window.claudeTerminal));
