/**
 * A small Service Portal: whoever asks for a page, a widget's server script, a UI Script or a style sheet gets
 * it. What is covered, and from where it is known, is in README.md.
 */

var assets = require('./assets');
var document_ = require('./document');
var includes = require('./includes');
var menus = require('./menus');
var pages = require('./pages');
var web = require('http/exchange');
var widgets = require('./widgets');

var API = '/api/now/sp/';
var INPUT_BYTES = 10 * 1024 * 1024;
var SYS_ID = /^[0-9a-f]{32}$/;

/**
 * @param {Object} platform
 * @param {Object} signIn who asks
 */
exports.Portal = function (platform, signIn) {
    this._platform = platform;
    this._signIn = signIn;
    this._assets = new assets.Assets();
    this._includes = new includes.Includes(platform);
    this._widgets = new widgets.Widgets(platform, this._includes);
    this._pages = new pages.Pages(platform, this._widgets, new menus.Menus(platform));
};

exports.Portal.prototype = {
    takes: function (exchange) {
        var path = exchange.path;
        return path === '/' || path.indexOf(API) === 0 || this._assets.takes(path) ||
            this._includes.takes(path) || this._portal(exchange) !== null;
    },

    handle: function (exchange) {
        if (exchange.path.indexOf(API) === 0) {
            this._answer(exchange);
        } else if (this._assets.takes(exchange.path)) {
            this._assets.send(exchange);
        } else if (this._includes.takes(exchange.path)) {
            this._signIn.require(exchange);
            this._includes.send(exchange);
        } else {
            this._show(exchange);
        }
    },

    _portal: function (exchange) {
        var found = /^\/([A-Za-z0-9_-]+)\/?$/.exec(exchange.path);
        return found === null ? null : this._pages.portal(found[1]);
    },

    // The address bar: a document, or the way to one.
    _show: function (exchange) {
        var portal = exchange.path === '/' ? this._pages.usual() : this._portal(exchange);
        var visitor = this._signIn.bySession(exchange);
        if (exchange.path === '/') {
            leave(exchange, '/' + portal.url_suffix);
        } else if (visitor === null) {
            leave(exchange, '/login.do?sysparm_goto_url=' + encodeURIComponent(wish(exchange)));
        } else {
            exchange.set('Cache-Control', 'no-store');
            exchange.reply(200, 'text/html;charset=UTF-8', document_.of(portal, visitor, this._assets,
                this._pages.early(portal, exchange, visitor.user)));
        }
    },

    _answer: function (exchange) {
        var visitor = this._signIn.require(exchange);
        var path = exchange.path.slice(API.length).split('/');
        var platform = this._platform;
        var self = this;
        platform.context.run(platform.context.create({
            user: visitor.user, sessionId: visitor.session, interactive: visitor.interactive,
            session: visitor.data, rest: true
        }), function () {
            exchange.set('Cache-Control', 'no-store');
            exchange.json(200, {result: self._result(exchange, path)});
        });
    },

    _result: function (exchange, path) {
        var request = {
            parameters: exchange.parameters(), input: undefined,
            portal: this._pages.withId(exchange.parameter('portal_id'), exchange.header('x-portal'))
        };
        if (path[0] === 'page' && path.length === 1 && exchange.method === 'GET') {
            return this._pages.content(request);
        }
        if (path.length !== 2 || ['widget', 'rectangle'].indexOf(path[0]) < 0) {
            throw new web.Refusal(404, 'No such resource',
                'The emulated portal has nothing at ' + exchange.path);
        }
        request.input = exchange.method === 'POST' ? input(exchange) : undefined;
        return path[0] === 'widget' ? this._widgets.byId(path[1], request) :
            this._pages.rectangle(SYS_ID.test(path[1]) ? path[1] : '', request);
    }
};

/** What was asked for, as a path of this instance. */
function wish(exchange) {
    return exchange.rawPath.slice(1) + (exchange.query ? '?' + exchange.query : '');
}

function leave(exchange, address) {
    exchange.set('Cache-Control', 'no-store');
    exchange.set('Location', address);
    exchange.reply(302, null, null);
}

function input(exchange) {
    var text = exchange.text(INPUT_BYTES);
    try {
        return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
        throw new web.Refusal(400, 'Bad Request', 'The input of a widget has to be JSON');
    }
}
