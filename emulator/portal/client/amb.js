/**
 * The push channel's client: Bayeux by long polling. However many watch, one request waits. [SNCLI]
 *
 * Whatever goes wrong, it is quiet and tries again later, with a new handshake and the same subscriptions. What
 * happened in between is not told.
 */
(function (app, window) {
    'use strict';

    var ADDRESS = '/amb';
    var FIRST_WAIT_MS = 500;
    var LONGEST_WAIT_MS = 30000;
    /** Longer than the server holds a poll: a connection that died in silence is noticed. */
    var POLL_MS = 45000;
    var LOGGED_IN = 'session.logged.in';

    /**
     * @param {Object} parts
     * @param {function(Object, Object): Promise<Array>} parts.post sends messages, as (body, request options), and
     *     gives the replies
     * @param {{after: function, cancel: function}} parts.timers
     * @param {function(): {signal: Object, abort: function()}} parts.limit makes a way to end a request
     */
    function Amb(parts) {
        this._post = parts.post;
        this._timers = parts.timers;
        this._limit = parts.limit;
        this._listeners = {};
        this._client = null;
        //: Counts the tries: what belongs to an earlier one is not listened to any more.
        this._try = 0;
        this._outbox = [];
        this._sending = false;
        this._waitMs = FIRST_WAIT_MS;
        this._messages = 0;
        this._end = null;
        //: 'off', 'opening', 'open', or 'closed' while it waits for the next try.
        this.state = 'off';
    }

    Amb.prototype = {
        /** Hear of events of a channel. @returns {function()} ends that */
        subscribe: function (channel, listener) {
            var self = this;
            var isNew = !this._listeners[channel];
            this._listeners[channel] = (this._listeners[channel] || []).concat([listener]);
            if (this.state === 'off') {
                this._open();
            } else if (isNew && this._client) {
                this._say('/meta/subscribe', channel);
            }
            return function () { self._drop(channel, listener); };
        },

        /** The page goes: the server need not hold the poll any longer. */
        leave: function () {
            if (this._client) {
                this._post([this._message('/meta/disconnect', {})], {keepalive: true})
                    .then(null, function () { /* gone either way */ });
            }
        },

        _drop: function (channel, listener) {
            var left = (this._listeners[channel] || []).filter(function (each) { return each !== listener; });
            if (left.length) {
                this._listeners[channel] = left;
            } else if (this._listeners[channel]) {
                delete this._listeners[channel];
                this._say('/meta/unsubscribe', channel);
            }
        },

        _open: function () {
            var self = this;
            var mine = this._try += 1;
            this.state = 'opening';
            this._outbox = [];
            this._sending = false;
            this._ask([this._message('/meta/handshake', {
                version: '1.0', minimumVersion: '1.0', supportedConnectionTypes: ['long-polling']
            })], mine, function (replies) { self._opened(replies[0] || {}, mine); });
        },

        // A stranger's handshake succeeds as well: only the session's status tells.
        _opened: function (reply, mine) {
            var self = this;
            if (!reply.successful || !isLoggedIn(reply)) {
                this._later(mine);
                return;
            }
            this._client = reply.clientId;
            Object.keys(this._listeners).forEach(function (channel) {
                self._say('/meta/subscribe', channel);
            });
            this.state = 'open';
            this._poll(mine);
        },

        _poll: function (mine) {
            var self = this;
            this._ask([this._message('/meta/connect', {connectionType: 'long-polling'})], mine,
                function (messages) { self._polled(messages, mine); });
        },

        _polled: function (messages, mine) {
            var reply = messages.filter(function (each) { return each.channel === '/meta/connect'; })[0];
            var events = messages.filter(function (each) { return each.data !== undefined; });
            if (!reply || !reply.successful || reply.ext && !isLoggedIn(reply)) {
                this._later(mine);
            } else if (Object.keys(this._listeners).length) {
                this._waitMs = FIRST_WAIT_MS;
                this._poll(mine);
            } else {
                this._close();
            }
            events.forEach(this._tell, this);
        },

        // Nobody listens: the next one who does starts anew.
        _close: function () {
            this.leave();
            this._client = null;
            this._try += 1;
            this.state = 'off';
        },

        _later: function (mine) {
            var self = this;
            if (mine !== this._try) {
                return;
            }
            this._try += 1;
            this._client = null;
            this.state = 'closed';
            if (this._end) {
                this._end();
            }
            this._timers.after(this._waitMs, function () {
                if (Object.keys(self._listeners).length) {
                    self._open();
                } else {
                    self.state = 'off';
                }
            });
            this._waitMs = Math.min(this._waitMs * 2, LONGEST_WAIT_MS);
        },

        _tell: function (message) {
            (this._listeners[message.channel] || []).forEach(function (listener) {
                try {
                    listener({channel: message.channel, data: message.data});
                } catch (error) {
                    // One listener's error is not the others'.
                    window.console.error(error);
                }
            });
        },

        // One request at a time: a channel may be left and entered again, and the order counts.
        _say: function (kind, channel) {
            if (this._client) {
                this._outbox.push(this._message(kind, {subscription: channel}));
                this._send(this._try);
            }
        },

        _send: function (mine) {
            var self = this;
            if (this._sending || !this._outbox.length || mine !== this._try) {
                return;
            }
            this._sending = true;
            this._post(this._outbox.splice(0), {}).then(function (replies) {
                if (mine === self._try) {
                    self._sending = false;
                    self._said(replies, mine);
                }
            }, function () { self._later(mine); });
        },

        _said: function (replies, mine) {
            var refused = replies.filter(function (each) { return !each.successful; });
            refused.forEach(function (each) {
                window.console.warn('AMB refuses ' + each.subscription + ': ' + each.error);
            });
            // The session may have ended since the handshake; the refusal does not say so.
            if (refused.some(function (each) { return /^40[24]::/.test(each.error); })) {
                this._later(mine);
            } else {
                this._send(mine);
            }
        },

        /** Post messages of the current try; without an answer in time it ends. */
        _ask: function (messages, mine, done) {
            var self = this;
            var limit = this._limit();
            var handle = this._timers.after(POLL_MS, limit.abort);
            this._end = limit.abort;
            this._post(messages, {signal: limit.signal}).then(function (replies) {
                self._timers.cancel(handle);
                if (mine === self._try) {
                    done(replies);
                }
            }, function () {
                self._timers.cancel(handle);
                self._later(mine);
            });
        },

        _message: function (channel, fields) {
            fields.channel = channel;
            fields.id = String(this._messages += 1);
            if (this._client) {
                fields.clientId = this._client;
            }
            return fields;
        }
    };

    function isLoggedIn(reply) {
        return Boolean(reply.ext) && reply.ext['glide.session.status'] === LOGGED_IN;
    }

    /** Fetch, not $http: a poll that waits must neither hold nor start a digest. */
    function post(messages, options) {
        return window.fetch(ADDRESS, {
            method: 'POST', body: JSON.stringify(messages), credentials: 'same-origin',
            headers: {'Content-Type': 'application/json'}, keepalive: Boolean(options.keepalive),
            signal: options.signal
        }).then(function (answer) {
            if (!answer.ok) {
                throw new Error('AMB answered ' + answer.status);
            }
            return answer.json();
        });
    }

    function limit() {
        var made = new window.AbortController();
        return {signal: made.signal, abort: function () { made.abort(); }};
    }

    app.factory('spAmb', ['$window', 'spTimers', function ($window, timers) {
        var amb = new Amb({post: post, timers: timers, limit: limit});
        $window.addEventListener('pagehide', function () { amb.leave(); });
        return amb;
    }]);
}(window.spApp, window));
