/**
 * Who is asking: Basic authentication, a bearer token, or the cookie of a session; the form at /login.do.
 */

var page = require('http/signin_page');
var web = require('http/exchange');

var COOKIE = 'JSESSIONID';
var IDLE_MS = 30 * 60 * 1000;
var FORM_BYTES = 10000;
var READING = ['GET', 'HEAD', 'OPTIONS'];

exports.SignIn = function (users, tokens) {
    this._users = users;
    this._tokens = tokens;
    this._sessions = new java.util.concurrent.ConcurrentHashMap();
    this._basic = new java.util.concurrent.ConcurrentHashMap();
};

exports.SignIn.prototype = {
    /**
     * Tell who asks, by any way; a wrong password or token, or nothing at all, is refused with 401.
     *
     * A session alone may not change anything: it needs the token that only the instance's own pages know, in
     * `X-UserToken`.
     *
     * @returns {{user: Object, session: string, interactive: boolean}}
     */
    require: function (exchange) {
        var visitor = this.optional(exchange);
        if (visitor === null) {
            throw unauthorized(exchange);
        }
        return visitor;
    },

    /** The same, but null when there is neither a password nor a token nor a session. */
    optional: function (exchange) {
        var header = exchange.header('Authorization');
        var visitor = header === null ? this.bySession(exchange) : this._byHeader(exchange, header);
        if (header === null && visitor !== null && READING.indexOf(exchange.method) < 0) {
            this._checkToken(exchange, visitor);
        }
        return visitor;
    },

    /** Tell whose session the cookie is; null when there is none. */
    bySession: function (exchange) {
        var id = cookie(exchange);
        var session = id === null ? null : this._sessions.get(id);
        var user = session === null || expired(session) ? null : this._users.withId(session.userId);
        if (user === null) {
            return null;
        }
        session.used = new Date().getTime();
        return {
            user: user, session: id, interactive: session.interactive, token: session.token,
            data: session.data
        };
    },

    /** Start a session and set its cookie. */
    open: function (exchange, user, interactive) {
        var id = random();
        this._expire();
        this._sessions.put(id, {
            userId: user.sys_id, interactive: interactive, token: random(), data: {},
            used: new Date().getTime()
        });
        setCookie(exchange, id);
        return id;
    },

    takes: function (exchange) {
        return exchange.path === '/login.do' || exchange.path === '/logout.do';
    },

    /** The form, what it sends, and signing out. */
    handle: function (exchange) {
        if (exchange.path === '/logout.do') {
            this._leave(exchange);
        } else if (exchange.method === 'POST') {
            this._enter(exchange);
        } else {
            form(exchange, 200, '', exchange.parameter('sysparm_goto_url'));
        }
    },

    _enter: function (exchange) {
        var sent = web.parameters(exchange.text(FORM_BYTES));
        var user = this._users.signIn(first(sent.user_name), first(sent.user_password));
        if (user === null) {
            form(exchange, 401, 'User name or password invalid', first(sent.sysparm_goto_url));
            return;
        }
        this.open(exchange, user, true);
        exchange.set('Location', localPath(first(sent.sysparm_goto_url)));
        exchange.reply(302, null, null);
    },

    _leave: function (exchange) {
        var id = cookie(exchange);
        if (id !== null) {
            this._sessions.remove(id);
        }
        setCookie(exchange, '; Max-Age=0');
        exchange.set('Location', '/login.do');
        exchange.reply(302, null, null);
    },

    // A client that keeps no cookies asks with its password each time: one session a user is enough for those.
    _byHeader: function (exchange, header) {
        var bearer = /^Bearer +([0-9a-f]{64})$/i.exec(header);
        var user = bearer === null ? this._byPassword(header) : this._tokens.user(bearer[1]);
        if (user === null) {
            throw unauthorized(exchange);
        }
        var known = this.bySession(exchange);
        if (known !== null && known.user.sys_id === user.sys_id) {
            return {user: user, session: known.session, interactive: false};
        }
        return {user: user, session: this._basicSession(exchange, user), interactive: false};
    },

    _byPassword: function (header) {
        var pair = credentials(header);
        return pair === null ? null : this._users.signIn(pair.user, pair.password);
    },

    _basicSession: function (exchange, user) {
        var id = this._basic.get(user.sys_id);
        var session = id === null ? null : this._sessions.get(id);
        if (session === null || expired(session)) {
            id = this.open(exchange, user, false);
            this._basic.put(user.sys_id, id);
            return id;
        }
        session.used = new Date().getTime();
        setCookie(exchange, id);
        return String(id);
    },

    // A page of another site can make a browser send the cookie, but not this header.
    _checkToken: function (exchange, visitor) {
        if (exchange.header('X-UserToken') !== visitor.token) {
            throw unauthorized(exchange, {'X-UserToken-Response': visitor.token});
        }
    },

    _expire: function () {
        var each = this._sessions.entrySet().iterator();
        while (each.hasNext()) {
            if (expired(each.next().getValue())) {
                each.remove();
            }
        }
    }
};

// A page whose session is over says so itself; a challenge would make the browser ask for a password instead.
function unauthorized(exchange, headers) {
    var all = headers || {};
    if (exchange.header('X-UserToken') === null) {
        all['WWW-Authenticate'] = 'BASIC realm="Service-now"';
    }
    return new web.Refusal(401, 'User Not Authenticated', 'Required to provide Auth information', all);
}

function credentials(header) {
    var found = /^Basic +([A-Za-z0-9+\/=]+)$/i.exec(header);
    var text;
    if (found === null) {
        return null;
    }
    try {
        text = String(new java.lang.String(java.util.Base64.getDecoder().decode(found[1]), 'UTF-8'));
    } catch (error) {
        return null;
    }
    var colon = text.indexOf(':');
    return colon < 0 ? null : {user: text.slice(0, colon), password: text.slice(colon + 1)};
}

function cookie(exchange) {
    var found = new RegExp('(?:^|; *)' + COOKIE + '=([0-9a-f]{32})(?:;|$)')
        .exec(exchange.header('Cookie') || '');
    return found === null ? null : found[1];
}

function setCookie(exchange, value) {
    exchange.set('Set-Cookie', COOKIE + '=' + value + '; Path=/; HttpOnly; SameSite=Lax');
}

function expired(session) {
    return new Date().getTime() - session.used > IDLE_MS;
}

function random() {
    return String(java.util.UUID.randomUUID()).replace(/-/g, '');
}

function first(values) {
    return values === undefined ? '' : values[0];
}

// Only a path of this instance: the form must not send anybody elsewhere.
function localPath(wish) {
    return /^\/?[A-Za-z0-9_][A-Za-z0-9_.\/?=&%-]*$/.test(wish) ? '/' + wish.replace(/^\//, '') : '/';
}

/** @param {string|null} wish where to go afterwards */
function form(exchange, status, problem, wish) {
    exchange.set('Cache-Control', 'no-store');
    exchange.reply(status, 'text/html;charset=UTF-8', page.of(problem, localPath(wish || '')));
}
