/**
 * The push channel: Bayeux over HTTP long polling at `/amb`. [SNCLI]
 *
 * Signing in is by cookie only; a stranger's handshake succeeds as well and only the session status tells. Not
 * covered: WebSockets, the semaphores in front of AMB, acknowledged delivery.
 */

var clients = require('http/amb_client');
var web = require('http/exchange');

var PATH = /^\/amb(?:\/(?:handshake|connect))?$/;
var BODY_BYTES = 1024 * 1024;
var TIMEOUT_MS = 30000;
/** How soon a waiting poll notices that the channel was switched off. */
var STEP_MS = 100;

exports.Amb = function (signIn, faults, watchers) {
    this._signIn = signIn;
    this._faults = faults;
    this._watchers = watchers;
    this._clients = new clients.Clients();
    watchers.attach(this._clients);
};

exports.Amb.prototype = {
    takes: function (exchange) {
        return /^\/amb(\/|$)/.test(exchange.path);
    },

    handle: function (exchange) {
        this._check(exchange);
        var visitor = this._signIn.bySession(exchange);
        var answers = [];
        var polls = [];
        parsed(exchange).forEach(function (message) {
            if (message.channel === '/meta/connect') {
                polls.push(message);
            } else {
                answers.push(this._answer(message, visitor));
            }
        }, this);
        polls.forEach(function (message) { answers = answers.concat(this._poll(message, exchange)); }, this);
        if (!this._faults.ambOn()) {
            throw off();
        }
        exchange.json(200, answers);
    },

    _check: function (exchange) {
        if (!this._faults.ambOn()) {
            throw off();
        }
        if (exchange.header('Origin') === null) {
            throw new web.Refusal(403, 'Forbidden', 'An Origin header is required');
        }
        if (!PATH.test(exchange.path) || exchange.method !== 'POST') {
            throw new web.Refusal(400, 'Bad Request',
                'Only Bayeux messages posted to /amb are taken; there is no WebSocket here');
        }
    },

    _answer: function (message, visitor) {
        var kinds = {
            '/meta/handshake': this._handshake, '/meta/subscribe': this._subscribe,
            '/meta/unsubscribe': this._unsubscribe, '/meta/disconnect': this._disconnect
        };
        if (!kinds.hasOwnProperty(message.channel)) {
            return failed(message, '403:' + message.channel + ':publishing is not provided');
        }
        if (message.channel !== '/meta/handshake' && this._clients.get(message.clientId) === null) {
            return unknown(message);
        }
        return kinds[message.channel].call(this, message, visitor);
    },

    _handshake: function (message, visitor) {
        return reply(message, {
            successful: true, version: '1.0', minimumVersion: '1.0', clientId: this._clients.open(visitor),
            supportedConnectionTypes: ['long-polling'], advice: advice(), ext: status(visitor)
        });
    },

    _subscribe: function (message, visitor) {
        var client = this._clients.get(message.clientId);
        var channels = [].concat(message.subscription || []);
        // The error says nothing of signing in; that is how it is.
        var problem = visitor === null || !client.belongsTo(visitor) ? '404::message_deleted' :
            this._watchers.problem(visitor.user, channels);
        if (problem !== null) {
            return failed(message, problem);
        }
        channels.forEach(function (channel) { client.subscribe(channel); });
        return reply(message, {
            successful: true, clientId: message.clientId, subscription: message.subscription
        });
    },

    _unsubscribe: function (message) {
        var client = this._clients.get(message.clientId);
        [].concat(message.subscription || []).forEach(function (channel) { client.unsubscribe(channel); });
        return reply(message, {
            successful: true, clientId: message.clientId, subscription: message.subscription
        });
    },

    _disconnect: function (message) {
        this._clients.close(message.clientId);
        return reply(message, {successful: true, clientId: message.clientId});
    },

    // Events before the reply, as servers of this protocol do it.
    _poll: function (message, exchange) {
        var client = this._clients.get(message.clientId);
        var wish = message.advice && message.advice.timeout;
        var asked = typeof wish === 'number' ? wish : TIMEOUT_MS;
        var faults = this._faults;
        if (client === null) {
            return [unknown(message)];
        }
        var events = client.wait(Math.min(asked, TIMEOUT_MS), STEP_MS, function () {
            return faults.ambOn();
        });
        // Whose session ended while it waited hears nothing any more.
        var visitor = this._signIn.bySession(exchange);
        var told = visitor !== null && client.belongsTo(visitor) ? events : [];
        return told.concat([reply(message, {
            successful: true, clientId: message.clientId, advice: advice(), ext: status(visitor)
        })]);
    }
};

function parsed(exchange) {
    var messages;
    try {
        messages = JSON.parse(exchange.text(BODY_BYTES));
    } catch (error) {
        throw new web.Refusal(400, 'Bad Request', 'The body is not JSON');
    }
    messages = Array.isArray(messages) ? messages : [messages];
    messages.forEach(function (message) {
        if (message === null || typeof message !== 'object' || typeof message.channel !== 'string') {
            throw new web.Refusal(400, 'Bad Request', 'A message without a channel');
        }
    });
    return messages;
}

function reply(message, fields) {
    fields.channel = message.channel;
    if (message.id !== undefined) {
        fields.id = message.id;
    }
    return fields;
}

function failed(message, error) {
    return reply(message, {
        successful: false, error: error, clientId: message.clientId, subscription: message.subscription
    });
}

function unknown(message) {
    return reply(message, {
        successful: false, error: '402::Unknown client', advice: {reconnect: 'handshake', interval: 0}
    });
}

function advice() {
    return {reconnect: 'retry', interval: 0, timeout: TIMEOUT_MS};
}

function status(visitor) {
    return {'glide.session.status': visitor === null ? 'session.invalidated' : 'session.logged.in'};
}

function off() {
    return new web.Refusal(503, 'Service Unavailable', 'AMB is switched off');
}
