/**
 * The HTTP side: a thread for each exchange, faults, and the first handler that takes a path.
 */

var daemon = require('daemon');
var web = require('http/exchange');

/** Long polls of browsers and MID Servers each hold one. */
var THREADS = 128;
var STOP_S = 0;

/**
 * @param {Object} platform
 * @param {Array} handlers each with `takes(exchange)` and `handle(exchange)`; the first that takes it handles it
 */
exports.Server = function (platform, handlers, faults) {
    this._log = platform.log;
    this._handlers = handlers;
    this._faults = faults;
    this._server = null;
    this._pool = null;
};

exports.Server.prototype = {
    /** Listen on loopback; @returns {number} the port */
    start: function (port) {
        var self = this;
        var address = new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), port);
        this._server = Packages.com.sun.net.httpserver.HttpServer.create(address, 200);
        this._pool = java.util.concurrent.Executors.newFixedThreadPool(THREADS, daemon.factory('http'));
        this._server.setExecutor(this._pool);
        this._server.createContext('/', new JavaAdapter(Packages.com.sun.net.httpserver.HttpHandler, {
            handle: function (raw) { self._whole(new web.Exchange(raw)); }
        }));
        this._server.start();
        return this._server.getAddress().getPort();
    },

    /** Stop listening; what is under way is cut off. */
    stop: function () {
        if (this._server !== null) {
            this._server.stop(STOP_S);
            this._pool.shutdownNow();
        }
    },

    // Too deep a recursion is an error of Java's, which passes by every `catch` and would leave the caller
    // waiting.
    _whole: function (exchange) {
        var self = this;
        var task = new java.util.concurrent.FutureTask(function () { self._exchange(exchange); }, null);
        task.run();
        try {
            task.get();
        } catch (error) {
            this._failed(exchange, String(error.javaException.getCause()));
        }
        quietly(exchange, function () { exchange.finish(); });
        if (exchange.afterwards !== null) {
            exchange.afterwards();
        }
    },

    _exchange: function (exchange) {
        var faults = this._faults;
        exchange.beforeAnswer = function () { hold(faults.halfMs()); };
        try {
            hold(faults.halfMs());
            this._answer(exchange);
        } catch (error) {
            this._failed(exchange, error);
        }
    },

    _answer: function (exchange) {
        var wait = this._faults.waitSeconds(exchange.path);
        var handler = this._handlers.filter(function (each) { return each.takes(exchange); })[0];
        if (wait > 0) {
            throw tooMany(wait);
        }
        if (!handler) {
            throw new web.Refusal(404, 'No page', 'The emulated instance has nothing at ' + exchange.path);
        }
        handler.handle(exchange);
    },

    _failed: function (exchange, error) {
        var refusal = error instanceof web.Refusal ? error : null;
        if (refusal === null && !isGone(error)) {
            this._log.error('http', exchange.method + ' ' + exchange.path + ': ' + describe(error));
            refusal = new web.Refusal(500, 'Internal error', 'See the system log');
        }
        if (refusal !== null && !exchange.answered) {
            quietly(exchange, function () { exchange.refuse(refusal); });
        }
    }
};

// [inbound-REST-API-rate-limiting]
function tooMany(seconds) {
    return new web.Refusal(429, 'Rate limit exceeded', 'Retry after ' + seconds + ' seconds', {
        'Retry-After': String(seconds), 'X-RateLimit-Limit': '0', 'X-RateLimit-Rule': 'emulated fault',
        'X-RateLimit-Reset': String(Math.ceil(new Date().getTime() / 1000) + seconds)
    });
}

function hold(milliseconds) {
    if (milliseconds > 0) {
        java.lang.Thread.sleep(milliseconds);
    }
}

/** Whoever is gone gets no answer, but the connection has to be given back. */
function quietly(exchange, work) {
    try {
        work();
    } catch (error) {
        exchange.raw.close();
        if (!isGone(error)) {
            throw error;
        }
    }
}

// Whoever asked has closed the connection, or the server is being stopped.
function isGone(error) {
    var cause = error && error.javaException;
    return cause instanceof java.io.IOException || cause instanceof java.lang.InterruptedException;
}

function describe(error) {
    var trace = error && error.rhinoException ? '\n' + error.rhinoException.getScriptStackTrace() : '';
    return String(error) + trace;
}
