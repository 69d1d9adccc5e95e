/**
 * The standard objects of a foreign script: those of ECMAScript 5 and no others.
 *
 * Rhino adds methods of later editions and of its own, and its shell adds all of Java. What the platform
 * lacks must not be there, else a script that cannot run there would run here.
 */

var rhino = Packages.org.mozilla.javascript;

/** What ES5 and its annex B name; `Name` = the constructor's own members, `Name.prototype` = its instances'. */
var ES5 = {
    'globals': 'Function Object Error decodeURI decodeURIComponent encodeURI encodeURIComponent escape ' +
        'eval isFinite isNaN parseFloat parseInt unescape NaN Infinity undefined EvalError RangeError ' +
        'ReferenceError SyntaxError ' +
        // The last two are how Rhino itself builds what a catch block receives.
        'TypeError URIError Array String Boolean Number Date Math JSON RegExp InternalError JavaException',
    'Object': 'getPrototypeOf keys getOwnPropertyNames getOwnPropertyDescriptor defineProperty ' +
        'isExtensible preventExtensions defineProperties create isSealed isFrozen seal freeze',
    'Object.prototype': 'toString toLocaleString valueOf hasOwnProperty propertyIsEnumerable isPrototypeOf',
    'Array': 'isArray',
    'Array.prototype': 'toString toLocaleString join reverse sort push pop shift unshift splice concat ' +
        'slice indexOf lastIndexOf every filter forEach map some reduce reduceRight',
    'String': 'fromCharCode',
    'String.prototype': 'toString valueOf charAt charCodeAt indexOf lastIndexOf split ' +
        'substring toLowerCase toUpperCase substr concat slice match search replace localeCompare ' +
        'toLocaleLowerCase toLocaleUpperCase trim',
    'Number': 'NaN POSITIVE_INFINITY NEGATIVE_INFINITY MAX_VALUE MIN_VALUE',
    'Number.prototype': 'toString toLocaleString valueOf toFixed toExponential toPrecision',
    'Boolean': '',
    'Boolean.prototype': 'toString valueOf',
    'Math': 'abs acos asin atan atan2 ceil cos exp floor log max min pow random round sin sqrt tan E ' +
        'PI LN10 LN2 LOG2E LOG10E SQRT1_2 SQRT2',
    'JSON': 'parse stringify',
    'Function.prototype': 'toString apply call bind'
};

/** Properties of every function and prototype, which are not up to an edition. */
var ALWAYS = ['arguments', 'prototype', 'name', 'arity', 'length', 'constructor'];

/**
 * Build a set of standard objects that shares nothing with anybody.
 *
 * @returns {Object} to be used as the prototype of tenant scopes
 */
exports.standard = function () {
    var context = rhino.Context.getCurrentContext();
    var before = context.getLanguageVersion();
    var objects;
    context.setLanguageVersion(rhino.Context.VERSION_1_8);
    try {
        objects = context.initSafeStandardObjects();
    } finally {
        context.setLanguageVersion(before);
    }
    surplus = surplus || excess(objects);
    surplus.forEach(function (one) { delete holder(objects, one.path)[one.name]; });
    return objects;
};

/** What Rhino has and ES5 has not: [{path, name}]; found with the first set, for all sets are the same. */
var surplus = null;

function excess(objects) {
    return Object.keys(ES5).reduce(function (found, path) {
        var wanted = ES5[path].split(' ').concat(ALWAYS);
        return found.concat(Object.getOwnPropertyNames(holder(objects, path))
            .filter(function (name) { return wanted.indexOf(name) < 0; })
            .map(function (name) { return {path: path, name: name}; }));
    }, []);
}

/**
 * Build an empty scope on top of another one.
 *
 * @param {Object} below standard objects, or a scope that itself stands on some
 * @returns {Object} a scope in which scripts declare their own names
 */
exports.over = function (below) {
    var scope = Object.create(below);
    // Otherwise names that are not found would be looked up among the emulator's own.
    scope.__parent__ = null;
    return scope;
};

function holder(objects, path) {
    if (path === 'globals') {
        return objects;
    }
    return path.split('.').reduce(function (object, name) { return object[name]; }, objects);
}
