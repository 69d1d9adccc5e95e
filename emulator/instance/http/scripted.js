/**
 * Scripted REST: finds the resource, checks who may use it, runs its script.
 * [c_ScriptableServiceRequest, c_ScriptableServiceResponseBuilder, ELIN export for the records]
 *
 * Not covered: XML bodies, `request.body.nextEntry`, versions' default aliases.
 */

var access = require('http/endpoint_access');
var replies = require('http/scripted_response');
var requests = require('http/scripted_request');
var resources = require('http/resources');
var web = require('http/exchange');

var MEGABYTE = 1024 * 1024;
var LIMIT = 'glide.rest.scripted.max_inbound_content_length_mb';
var GUEST = {sys_id: 'guest', user_name: 'guest', name: 'Guest', email: '', roles: [], elevated: []};
/** The Tomcat in front of an instance refuses these in a path. */
var REFUSED_IN_PATH = /%2f|%5c|%00/i;

exports.Scripted = function (platform, signIn) {
    this._platform = platform;
    this._signIn = signIn;
    this._access = new access.EndpointAccess(platform);
    this._resources = new resources.Resources(platform);
};

exports.Scripted.prototype = {
    takes: function (exchange) {
        return exchange.path.indexOf('/api/') === 0 && this._resources.takes(exchange.path);
    },

    handle: function (exchange) {
        if (REFUSED_IN_PATH.test(exchange.rawPath)) {
            throw new web.Refusal(400, 'Bad Request', 'The path holds an encoded separator');
        }
        var found = this._resources.find(exchange.method, exchange.rawPath);
        var visitor = this._visitor(exchange, found);
        var platform = this._platform;
        var self = this;
        checkTypes(exchange, found);
        platform.context.run(platform.context.create({
            user: visitor.user, sessionId: visitor.session, interactive: visitor.interactive, rest: true,
            session: visitor.data, scope: platform.scopes.nameOf(found.operation)
        }), function () {
            self._authorize(visitor.user, found);
            self._run(exchange, found);
        });
    },

    _visitor: function (exchange, found) {
        if (found.operation.requires_authentication !== '0') {
            return this._signIn.require(exchange);
        }
        return this._signIn.optional(exchange) || {user: GUEST, session: '', interactive: false};
    },

    _authorize: function (user, found) {
        var operation = found.operation;
        var internal = operation.requires_authentication === '0' ||
            operation.requires_snc_internal_role === '0' ||
            user.roles.indexOf('snc_internal') >= 0;
        var passed = operation.requires_acl_authorization !== '1' ||
            this._access.allows(user, operation.enforce_acl || found.service.enforce_acl);
        if (!internal || !passed) {
            throw new web.Refusal(403, 'User Not Authorized', 'Failed API level ACL Validation');
        }
    },

    _run: function (exchange, found) {
        var platform = this._platform;
        var answer = new replies.Answer(exchange);
        var most = parseInt(platform.properties.get(LIMIT, '10'), 10) * MEGABYTE;
        var request = requests.of(platform.engine, exchange, found.path, most);
        var returned;
        try {
            returned = platform.engine.run(found.operation.operation_script || '',
                'sys_ws_operation.' + found.operation.name,
                {bindings: {request: request, response: answer.facade()}});
        } catch (error) {
            throw this._refusal(error, found);
        }
        answer.send(returned, request);
    },

    _refusal: function (error, found) {
        var thrown = error.cause === undefined || error.cause === null ? error : error.cause;
        var refusal = replies.refusal(thrown);
        if (refusal.message === 'Script Evaluation Exception') {
            refusal.detail = error.message;
            this._platform.log.error('scripted REST', found.operation.name + ': ' + error.message);
        }
        return refusal;
    }
};

function checkTypes(exchange, found) {
    var sent = exchange.header('Content-Type');
    var consumes = listed(found.operation.consumes || found.service.consumes);
    var produces = listed(found.operation.produces || found.service.produces);
    if (sent !== null && exchange.method !== 'GET' && consumes.length > 0 &&
            !overlap([bare(sent)], consumes)) {
        throw new web.Refusal(415, 'Unsupported media type', 'This resource takes ' + consumes.join(', '));
    }
    if (produces.length > 0 && !overlap(requests.accepted(exchange), produces)) {
        throw new web.Refusal(406, 'Not acceptable', 'This resource answers with ' + produces.join(', '));
    }
}

function listed(text) {
    return (text || '').split(',').map(bare).filter(Boolean);
}

function bare(type) {
    return type.split(';')[0].trim().toLowerCase();
}

function overlap(some, others) {
    return some.some(function (one) {
        return others.some(function (other) {
            return one === '*/*' || other === '*/*' || one === other || family(one, other);
        });
    });
}

function family(pattern, type) {
    return /\/\*$/.test(pattern) && type.indexOf(pattern.slice(0, -1)) === 0;
}
