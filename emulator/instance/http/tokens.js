/**
 * OAuth for clients that act for themselves: `/oauth_token.do` with the grant `client_credentials`, and whose a
 * bearer token is. [client-credentials-grant-workflow, client-credentials]
 *
 * Tokens are not kept: they end with the process.
 */

var cipher = require('cipher');
var web = require('http/exchange');

var PATH = '/oauth_token.do';
/** Without it, or with another value than true, the platform knows no such grant. [client-credentials] */
var ALLOWED = 'glide.oauth.inbound.client.credential.grant_type.enabled';
var LIFE_S = 1800;
var FORM_BYTES = 10000;
var FORM = /^application\/x-www-form-urlencoded\b/i;

/** @param {Object} platform with store, properties, users and the key of password2 columns */
exports.Tokens = function (platform) {
    this._platform = platform;
    this._issued = new java.util.concurrent.ConcurrentHashMap();
};

exports.Tokens.prototype = {
    takes: function (exchange) {
        return exchange.path === PATH;
    },

    /** Give a token to a client that proves who it is; all others hear the same. */
    handle: function (exchange) {
        var entity = exchange.method === 'POST' ? this._proven(sent(exchange)) : null;
        exchange.set('Cache-Control', 'no-store');
        if (entity === null) {
            // [observed by users of real instances: not the `invalid_client` of RFC 6749]
            exchange.json(401, {error_description: 'access_denied', error: 'server_error'});
            return;
        }
        exchange.json(200, this._issue(entity));
    },

    /** @returns {Object|null} the user for whom a token was issued, if it is valid and they are still active */
    user: function (token) {
        var issued = this._issued.get(token);
        if (issued === null || issued.until <= now()) {
            return null;
        }
        return this._platform.users.withId(issued.userId);
    },

    _proven: function (form) {
        var entity = form.grant_type === 'client_credentials' && this._allowed() ?
            this._entity(form.client_id) : null;
        var secret = entity === null ? null : cipher.opened(this._platform, entity.client_secret);
        return secret !== null && same(secret, form.client_secret) ? entity : null;
    },

    _allowed: function () {
        return this._platform.properties.get(ALLOWED, 'false') === 'true';
    },

    _entity: function (clientId) {
        var where = {column: 'client_id', operator: '=', value: clientId || ''};
        var row = this._platform.store.select('oauth_entity', where, {limit: 1})[0];
        var usable = row !== undefined && row.active === '1' && row.user;
        return usable && this._platform.users.withId(row.user) !== null ? row : null;
    },

    _issue: function (entity) {
        var token = random();
        var life = parseInt(entity.access_token_lifespan, 10) || LIFE_S;
        this._forget();
        this._issued.put(token, {userId: entity.user, until: now() + life * 1000});
        return {access_token: token, scope: 'useraccount', token_type: 'Bearer', expires_in: life - 1};
    },

    _forget: function () {
        var each = this._issued.entrySet().iterator();
        while (each.hasNext()) {
            if (each.next().getValue().until <= now()) {
                each.remove();
            }
        }
    }
};

// Never from the query: what is in an address is in every log.
function sent(exchange) {
    var lists = FORM.test(exchange.header('Content-Type') || '') ?
        web.parameters(exchange.text(FORM_BYTES)) : {};
    var found = {};
    Object.keys(lists).forEach(function (name) { found[name] = lists[name][0]; });
    return found;
}

function same(one, other) {
    var bytes = [one, other || ''].map(function (text) {
        return new java.lang.String(text).getBytes('UTF-8');
    });
    return java.security.MessageDigest.isEqual(bytes[0], bytes[1]);
}

function random() {
    return String(java.util.UUID.randomUUID() + '' + java.util.UUID.randomUUID()).replace(/-/g, '');
}

function now() {
    return new Date().getTime();
}
