/**
 * The push channel: a Bayeux client that long-polls `/amb` and tells of each message on one channel.
 *
 * Sign-in is by cookie only, an Origin must be sent, and a handshake "succeeds" for a stranger too, which
 * only the session status tells. [SNCLI]
 */

var http = require('http');

var READ_TIMEOUT_MS = 60000;
var FIRST_ATTEMPT_S = 10;
var RETRY_MS = [200, 500, 1000, 2000, 5000];
var SIGNED_IN = 'session.logged.in';

/**
 * Subscribe in a thread of its own; a lost connection is made anew until the MID ends.
 *
 * @param {{url: string, soap: Object, channel: string, log: Object, onMessage: function(Object)}} options
 * @returns {{start: function(), connected: function(): boolean}}; `start` returns after the first attempt
 */
exports.subscriber = function (options) {
    var connected = new java.util.concurrent.atomic.AtomicBoolean(false);
    var tried = new java.util.concurrent.CountDownLatch(1);
    var failures = 0;

    function once() {
        try {
            session(options, failures > 0, function () {
                connected.set(true);
                failures = 0;
                tried.countDown();
                options.log.info('subscribed to ' + options.channel);
            });
        } catch (error) {
            if (connected.getAndSet(false) || failures === 0) {
                options.log.warn('no push channel: ' + error.message + '; polling goes on');
            }
            failures += 1;
        }
        tried.countDown();
    }

    function run() {
        while (true) {
            once();
            java.lang.Thread.sleep(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
        }
    }

    return {
        start: function () {
            var thread = new java.lang.Thread(new java.lang.Runnable({run: run}), 'AMB');
            thread.setDaemon(true);
            thread.start();
            tried.await(FIRST_ATTEMPT_S, java.util.concurrent.TimeUnit.SECONDS);
        },
        connected: function () { return connected.get(); }
    };
};

/** Hold one session until it breaks, which is always by an error. */
function session(options, fresh, onSubscribed) {
    var origin = options.url.replace(/\/+$/, '');
    var cookie = options.soap.cookie(fresh);
    var clientId = null;

    function exchange(message) {
        var answers;
        if (clientId !== null) {
            message.clientId = clientId;
        }
        answers = send(origin, cookie, message);
        answers.filter(function (each) { return each.channel === options.channel; })
            .forEach(function (each) { options.onMessage(data(each)); });
        return replyTo(message, answers);
    }

    clientId = exchange({
        channel: '/meta/handshake', version: '1.0', minimumVersion: '1.0',
        supportedConnectionTypes: ['long-polling']
    }).clientId;
    exchange({channel: '/meta/subscribe', subscription: options.channel});
    onSubscribed();
    while (true) {
        pause(exchange({channel: '/meta/connect', connectionType: 'long-polling'}).advice);
    }
}

function send(origin, cookie, message) {
    var answer = http.post(origin + '/amb', {
        headers: {'Content-Type': 'application/json; charset=UTF-8', 'Origin': origin, 'Cookie': cookie},
        body: JSON.stringify([message]),
        timeoutMs: READ_TIMEOUT_MS
    });
    if (answer.status !== 200) {
        throw new Error(message.channel + ' was answered ' + answer.status);
    }
    return JSON.parse(answer.text);
}

function replyTo(message, answers) {
    var reply = answers.filter(function (each) { return each.channel === message.channel; })[0];
    var status = reply && reply.ext && reply.ext['glide.session.status'];
    if (!reply || !reply.successful) {
        throw new Error(message.channel + ' failed: ' + (reply && reply.error || 'no reply'));
    }
    if (message.channel === '/meta/handshake' && status !== SIGNED_IN) {
        throw new Error('the session is not signed in');
    }
    return reply;
}

function pause(advice) {
    java.lang.Thread.sleep(advice && Number(advice.interval) || 0);
}

function data(message) {
    return typeof message.data === 'string' ? JSON.parse(message.data) : message.data || {};
}
