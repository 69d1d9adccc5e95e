/**
 * The push channel's client: Bayeux by long polling. However many watch, one request waits. [SNCLI]
 *
 * Whatever goes wrong, it is quiet and tries again later, with a new handshake and the same subscriptions.
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
     * @param {function(string, Object): Promise<Response>} parts.fetch
     * @param {function(*): Promise} parts.resolved a promise of a value that is there
     * @param {{after: function, cancel: function}} parts.timers
     */
    function Amb(parts) {
        this._fetch = parts.fetch;
        this._resolved = parts.resolved;
        this._timers = parts.timers;
        this._listeners = {};
        this._client = null;
        this._running = false;
        this._waitMs = FIRST_WAIT_MS;
        this._messages = 0;
        //: 'off', 'opening', 'open', or 'closed' while it waits for the next try.
        this.state = 'off';
    }

    Amb.prototype = {
        /** Hear of events of a channel. @returns {function()} ends that */
        subscribe: function (channel, listener) {
            var self = this;
            var isNew = !this._listeners[channel];
            this._listeners[channel] = (this._listeners[channel] || []).concat([listener]);
            if (!this._running) {
                this._running = true;
                this._open();
            } else if (isNew && this._client) {
                this._say([this._message('/meta/subscribe', {subscription: channel})]);
            }
            return function () { self._drop(channel, listener); };
        },

        /** The page goes: the server need not hold the poll any longer. */
        leave: function () {
            if (this._client) {
                this._fetch(ADDRESS, this._request([this._message('/meta/disconnect', {})], true))
                    .then(null, function () { /* gone either way */ });
            }
        },

        _drop: function (channel, listener) {
            var left = (this._listeners[channel] || []).filter(function (each) { return each !== listener; });
            if (left.length) {
                this._listeners[channel] = left;
            } else if (this._listeners[channel]) {
                delete this._listeners[channel];
                this._quit(channel);
            }
        },

        _quit: function (channel) {
            if (this._client) {
                this._say([this._message('/meta/unsubscribe', {subscription: channel})]);
            }
        },

        _open: function () {
            var self = this;
            this._client = null;
            this.state = 'opening';
            this._post([this._message('/meta/handshake', {
                version: '1.0', minimumVersion: '1.0', supportedConnectionTypes: ['long-polling']
            })]).then(function (replies) { self._opened(replies[0]); }, function () { self._later(); });
        },

        // A stranger's handshake succeeds as well: only the session's status tells.
        _opened: function (reply) {
            if (!reply || !reply.successful || !isLoggedIn(reply)) {
                this._later();
                return;
            }
            this._client = reply.clientId;
            this._resume();
        },

        _resume: function () {
            var self = this;
            var all = Object.keys(this._listeners).map(function (channel) {
                return self._message('/meta/subscribe', {subscription: channel});
            });
            this._post(all).then(function (replies) {
                var refused = replies.filter(function (each) { return !each.successful; });
                refused.forEach(function (each) {
                    window.console.warn('AMB refuses ' + each.subscription + ': ' + each.error);
                });
                // The session may have ended since the handshake; the refusal does not say so.
                if (replies.length && refused.length === replies.length) {
                    self._later();
                    return;
                }
                self.state = 'open';
                self._poll();
            }, function () { self._later(); });
        },

        _poll: function () {
            var self = this;
            if (!Object.keys(this._listeners).length) {
                this._close();
                return;
            }
            this._post([this._message('/meta/connect', {connectionType: 'long-polling'})])
                .then(function (messages) { self._polled(messages); }, function () { self._later(); });
        },

        _polled: function (messages) {
            var reply = messages.filter(function (each) { return each.channel === '/meta/connect'; })[0];
            var events = messages.filter(function (each) { return each.data !== undefined; });
            if (!reply || !reply.successful || reply.ext && !isLoggedIn(reply)) {
                this._later();
            } else {
                this._waitMs = FIRST_WAIT_MS;
                this._poll();
            }
            events.forEach(this._tell, this);
        },

        // Nobody listens: the next one who does starts anew.
        _close: function () {
            this.leave();
            this._client = null;
            this._running = false;
            this.state = 'off';
        },

        _later: function () {
            var self = this;
            this._client = null;
            this.state = 'closed';
            this._timers.after(this._waitMs, function () {
                if (Object.keys(self._listeners).length) {
                    self._open();
                } else {
                    self._close();
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

        _message: function (channel, fields) {
            fields.channel = channel;
            fields.id = String(this._messages += 1);
            if (this._client) {
                fields.clientId = this._client;
            }
            return fields;
        },

        // What fails here shows at the poll, which then starts anew.
        _say: function (messages) {
            this._post(messages).then(null, function () { /* see above */ });
        },

        _post: function (messages) {
            var limit = typeof window.AbortController === 'function' ? new window.AbortController() : null;
            var request = this._request(messages, false);
            var timers = this._timers;
            var handle;
            if (!messages.length) {
                return this._resolved([]);
            }
            if (limit) {
                request.signal = limit.signal;
                handle = timers.after(POLL_MS, function () { limit.abort(); });
            }
            return this._fetch(ADDRESS, request).then(function (answer) {
                if (!answer.ok) {
                    throw new Error('AMB answered ' + answer.status);
                }
                return answer.json();
            }).then(function (replies) {
                timers.cancel(handle);
                return replies;
            }, function (error) {
                timers.cancel(handle);
                throw error;
            });
        },

        _request: function (messages, keepalive) {
            return {
                method: 'POST', body: JSON.stringify(messages), credentials: 'same-origin',
                keepalive: keepalive, headers: {'Content-Type': 'application/json'}
            };
        }
    };

    function isLoggedIn(reply) {
        return Boolean(reply.ext) && reply.ext['glide.session.status'] === LOGGED_IN;
    }

    app.factory('spAmb', ['$window', 'spTimers', function ($window, timers) {
        var amb = new Amb({
            fetch: function (address, request) { return $window.fetch(address, request); },
            resolved: function (value) { return $window.Promise.resolve(value); }, timers: timers
        });
        $window.addEventListener('pagehide', function () { amb.leave(); });
        return amb;
    }]);
}(window.spApp, window));
