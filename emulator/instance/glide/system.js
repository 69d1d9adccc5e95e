/**
 * `gs`: exactly the methods of the two documented lists, one for the global scope and one for applications.
 * [c_GlideSystemAPI, c_GlideSystemScopedAPI]
 *
 * What is in neither list is not there, `sleep` before all.
 */

var context = require('../context');
var datetime = require('./datetime');
var sessions = require('./session');
var xml = require('./xml');

var MINUTE_MS = 60000;

/** Roles that being an administrator does not bring; the first comes by elevation. */
var NOT_IMPLIED = ['security_admin', 'maint'];

/** Methods of the global list, and what an application is told to use. */
var GLOBAL_ONLY = {
    log: 'gs.info()', logError: 'gs.error()', logWarning: 'gs.warn()', print: 'gs.info()',
    now: 'GlideDateTime', nowDateTime: 'GlideDateTime', minutesAgo: 'gs.minutesAgoStart()',
    getPreference: 'a column of your own'
};

/** @param {Object} scope @param {Object} platform @param {string} name of the scope */
exports.install = function (scope, platform, name) {
    var gs = Object.create({toString: function () { return '[object GlideSystem]'; }});
    var parts = [people(), texts(), times(), settings(platform, scope), messages(platform, name)];
    parts.forEach(function (part) {
        Object.keys(part).forEach(function (method) { gs[method] = part[method]; });
    });
    if (name === 'global') {
        globals(gs, platform);
    } else {
        Object.keys(GLOBAL_ONLY).forEach(function (method) { gs[method] = refusing(method, name); });
    }
    scope.gs = gs;
};

function people() {
    function user() { return context.current().user; }
    return {
        getUserID: function () { return user().sys_id; },
        getUserName: function () { return user().user_name; },
        getUserDisplayName: function () { return user().name || user().user_name; },
        hasRole: hasOne,
        getSession: function () { return sessions.of(context.current()); },
        getSessionID: function () { return context.current().sessionId; },
        isInteractive: function () { return context.current().interactive; },
        isLoggedIn: function () { return user().user_name !== 'guest'; }
    };
}

function hasOne(names) {
    return String(names).split(',').some(function (name) { return has(name.trim()); });
}

function has(role) {
    var transaction = context.current();
    var roles = transaction.user.roles;
    if (role === 'security_admin') {
        return transaction.elevated && (roles.indexOf(role) >= 0 || roles.indexOf('admin') >= 0);
    }
    return roles.indexOf(role) >= 0 || roles.indexOf('admin') >= 0 && NOT_IMPLIED.indexOf(role) < 0;
}

function texts() {
    return {
        nil: function (value) {
            return value === null || value === undefined || String(value) === '' || String(value) === 'null';
        },
        generateGUID: function () { return String(java.util.UUID.randomUUID()).replace(/-/g, ''); },
        base64Encode: function (text) {
            return String(java.util.Base64.getEncoder().encodeToString(bytes(text)));
        },
        base64Decode: function (text) {
            var decoded = java.util.Base64.getMimeDecoder().decode(new java.lang.String(String(text)));
            return String(new java.lang.String(decoded, 'UTF-8'));
        },
        getMessage: function (text, values) { return filled(String(text), values || []); },
        xmlToJSON: function (text) { return xml.toJson(String(text)); }
    };
}

function bytes(text) {
    return new java.lang.String(String(text)).getBytes('UTF-8');
}

/** '{0}' stands for the first value. */
function filled(text, values) {
    var list = typeof values === 'object' && values.length !== undefined ? values : [values];
    return text.replace(/\{(\d+)\}/g, function (whole, number) {
        return list[number] === undefined ? whole : String(list[number]);
    });
}

function times() {
    /** The start of the minute that was so many minutes ago. */
    function minute(ago) {
        return Math.floor((Date.now() - Number(ago) * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
    }
    return {
        minutesAgoStart: function (ago) { return datetime.text(minute(ago)); },
        minutesAgoEnd: function (ago) { return datetime.text(minute(ago) + MINUTE_MS - 1000); }
    };
}

function settings(platform, scope) {
    return {
        getProperty: function (name, fallback) {
            return platform.properties.get(String(name), fallback === undefined ? null : fallback);
        },
        setProperty: function (name, value, description) {
            platform.properties.set(String(name), value, description);
        },
        tableExists: function (name) { return platform.dictionary.table(String(name)) !== null; },
        eventQueue: function (name, record, first, second, queue) {
            platform.events.queue(named(name, record, first, second, queue));
        },
        eventQueueScheduled: function (name, record, first, second, when) {
            var event = named(name, record, first, second, null);
            event.processOn = String(when);
            platform.events.queue(event);
        },
        include: function (name) {
            if (scope[name] === undefined) {
                throw new Error('there is no Script Include ' + name);
            }
            return true;
        }
    };
}

function named(name, record, first, second, queue) {
    return {
        name: String(name),
        table: record ? String(record.getTableName()) : null,
        instance: record ? String(record.getUniqueValue()) : null,
        parm1: optional(first),
        parm2: optional(second),
        queue: optional(queue)
    };
}

function optional(value) {
    return value === null || value === undefined ? null : String(value);
}

function messages(platform, name) {
    var methods = {};
    ['info', 'warn', 'error', 'debug'].forEach(function (level) {
        methods[level] = function (text) {
            say(platform, level, name, filled(String(text), Array.prototype.slice.call(arguments, 1)));
        };
    });
    methods.addInfoMessage = function (text) { note('info', text); };
    methods.addErrorMessage = function (text) { note('error', text); };
    return methods;
}

function say(platform, level, source, text) {
    context.current().output.push(text);
    platform.log[level](source, text);
}

function note(kind, text) {
    context.current().messages.push({type: kind, message: String(text)});
}

function globals(gs, platform) {
    gs.log = function (text, source) { say(platform, 'info', source || 'global', String(text)); };
    gs.logError = function (text, source) { say(platform, 'error', source || 'global', String(text)); };
    gs.logWarning = function (text, source) { say(platform, 'warn', source || 'global', String(text)); };
    gs.print = function (text) { say(platform, 'info', 'global', String(text)); };
    gs.now = function () { return datetime.text(Date.now()).slice(0, 10); };
    gs.nowDateTime = function () { return datetime.text(Date.now()); };
    gs.minutesAgo = function (ago) { return datetime.text(Date.now() - Number(ago) * MINUTE_MS); };
    gs.getPreference = function (name, fallback) {
        return preference(platform, String(name)) || (fallback === undefined ? null : fallback);
    };
}

function preference(platform, name) {
    var user = context.current().user.sys_id;
    var rows = platform.records.query('sys_user_preference', null, {}).filter(function (row) {
        return row.name === name && (row.user === user || !row.user);
    });
    // The user's own comes before the one for everybody.
    rows.sort(function (left, right) { return Number(!left.user) - Number(!right.user); });
    return rows.length ? rows[0].value : null;
}

function refusing(method, scope) {
    return function () {
        throw new Error('Function ' + method + ' is not allowed in scope ' + scope + '. Use ' +
            GLOBAL_ONLY[method] + ' instead.');
    };
}
