/**
 * What a script on the MID can name: `ms`, `probe`, `Packages`, `java`, `Class`, the script includes, and
 * ES5.
 *
 * Nothing else, so that an invented object fails here as it would there. [r_MIDSystemMethods, ESLINT-SN]
 */

var standard = require('scope');

var rhino = Packages.org.mozilla.javascript;
/** Rhino offers these beside the two that scripts on a MID are known to use. */
var UNKNOWN = ['javax', 'org', 'com', 'edu', 'net', 'getClass'];
var CLASS = 'var Class = {create: function () {' +
    ' return function () { this.initialize.apply(this, arguments); }; }};';

/**
 * Make the scope of one probe. Each run has its own: what a script leaves behind does not reach the next.
 *
 * @param {{library: Object, log: Object, name: string, sysId: string, parameter: function(string): ?string}}
 *     mid
 * @param {function(string): ?string} probeParameter the probe's parameters by name
 * @returns {Object} a scope to evaluate the script in
 */
exports.scope = function (mid, probeParameter) {
    var context = rhino.Context.getCurrentContext();
    var scope = standard.over(standard.standard());
    var hostString = hosted(scope);

    rhino.NativeJavaTopPackage.init(context, scope, false);
    UNKNOWN.forEach(function (name) { delete scope[name]; });
    context.evaluateString(scope, CLASS, 'Class', 1, null);
    define(scope, 'ms', system(mid, scope, hostString));
    define(scope, 'probe', object(scope, {
        getParameter: function (name) { return hostString(probeParameter(String(name))); }
    }));
    mid.library.names().forEach(function (name) { lazy(scope, name, mid.library); });
    return scope;
};

/**
 * Host values arrive as Java strings there: `typeof` says object and `===` is false, which scripts must
 * survive.
 */
function hosted(scope) {
    return function (text) {
        var context = rhino.Context.getCurrentContext();
        var value = text === null ? null : new java.lang.String(text);
        return value && context.getWrapFactory().wrap(context, scope, value, null);
    };
}

function system(mid, scope, hostString) {
    return object(scope, {
        log: function (message) { mid.log.info('script: ' + message); },
        getConfigParameter: function (name) { return hostString(mid.parameter(String(name))); },
        include: function (name) { include(scope, String(name), mid.library); },
        getName: function () { return hostString(mid.name); },
        getSysID: function () { return hostString(mid.sysId); },
        toJavaScript: function (value) { return toJavaScript(value, scope); }
    });
}

/** An object whose other members, such as toString, are the scope's own. */
function object(scope, methods) {
    var made = rhino.Context.getCurrentContext().newObject(scope);
    Object.keys(methods).forEach(function (name) { define(made, name, methods[name]); });
    return made;
}

function define(target, name, value) {
    Object.defineProperty(target, name, {value: value, writable: true, configurable: true, enumerable: true});
}

/** Names resolve when first used: an include that nobody names costs nothing and breaks nothing. */
function lazy(scope, name, library) {
    Object.defineProperty(scope, name, {
        get: function () { return include(scope, name, library); },
        set: function (value) { define(scope, name, value); },
        configurable: true,
        enumerable: true
    });
}

function include(scope, name, library) {
    var property = Object.getOwnPropertyDescriptor(scope, name);
    var script;
    if (property && !property.get) {
        return property.value;
    }
    script = library.script(name);
    if (script === null) {
        throw new Error('there is no active MID script include named ' + name);
    }
    delete scope[name];
    script.exec(rhino.Context.getCurrentContext(), scope);
    return scope[name];
}

/** Copy Java's strings, numbers, maps, lists and arrays; what else there is stays what it is. */
function toJavaScript(value, scope) {
    var kind = Object.keys(COPIES).filter(function (name) { return is(value, name); })[0];
    return kind === undefined ? value : COPIES[kind](value, scope);
}

var COPIES = {
    'java.lang.CharSequence': String,
    'java.lang.Character': String,
    'java.lang.Number': Number,
    'java.lang.Boolean': function (value) { return String(value) === 'true'; },
    'java.util.Map': mapped,
    'java.util.Collection': function (value, scope) { return listed(value.toArray(), scope); },
    'array': listed
};

function is(value, kind) {
    if (kind === 'array') {
        return Object.prototype.toString.call(value) === '[object JavaArray]';
    }
    return value !== null && typeof value === 'object' && java.lang.Class.forName(kind).isInstance(value);
}

function listed(array, scope) {
    var copy = rhino.Context.getCurrentContext().newArray(scope, 0);
    var i;
    for (i = 0; i < array.length; i += 1) {
        copy.push(toJavaScript(array[i], scope));
    }
    return copy;
}

function mapped(map, scope) {
    var copy = rhino.Context.getCurrentContext().newObject(scope);
    var keys = map.keySet().toArray();
    var i;
    for (i = 0; i < keys.length; i += 1) {
        copy[String(keys[i])] = toJavaScript(map.get(keys[i]), scope);
    }
    return copy;
}
