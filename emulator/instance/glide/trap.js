/**
 * The end of a prototype chain: whoever asks for a name that nothing before it knows, is told so.
 *
 * A script on the platform would read undefined, or silently set a property nobody stores. Here both are
 * errors.
 */

var own = require('../own');

var NOT_FOUND = Packages.org.mozilla.javascript.Scriptable.NOT_FOUND;

/** What the engine itself asks of any object. */
var ENGINE = {toJSON: 1, '__iterator__': 1, '__proto__': 1, '__parent__': 1, constructor: 1, '$': 1, then: 1};

/**
 * @param {string} className
 * @param {function(Object, string): *} read (object, name) answers or throws
 * @param {function(Object, string, *)} write (object, name, value) throws
 */
exports.create = function (className, read, write) {
    return new JavaAdapter(Packages.org.mozilla.javascript.ScriptableObject, {
        getClassName: function () { return className; },
        get: function (name, start) { return foreign(name) ? NOT_FOUND : read(start, String(name)); },
        has: function (name) { return !foreign(name); },
        put: function (name, start, value) { write(start, String(name), value); }
    });
};

/**
 * Names come from the engine as Java strings; a symbol or what the engine looks for by itself is not ours.
 */
function foreign(name) {
    var named = typeof name === 'string' || typeof name === 'number' || name instanceof java.lang.String;
    return !named || own.has(ENGINE, String(name));
}

/** Put functions on an object so that neither `for in` sees nor a script changes them. */
exports.members = function (object, functions) {
    Object.keys(functions).forEach(function (name) {
        Object.defineProperty(object, name, {value: functions[name], enumerable: false});
    });
    return object;
};
