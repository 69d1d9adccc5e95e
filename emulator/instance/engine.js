/**
 * Run foreign scripts: check that they are ES5, compile once, execute in their scope's namespace.
 *
 * Every run gets a scope of its own on top of the namespace, so top-level variables of one script are not
 * seen by the next one of the same transaction.
 */

var context = require('./context');
var deadline = require('./deadline');
var es5 = require('es5');
var includes = require('./includes');
var namespace = require('./namespace');
var scope = require('scope');
var scripterror = require('./scripterror');

var rhino = Packages.org.mozilla.javascript;

/** Compiled scripts kept. A background script is compiled once and never seen again, hence a bound. */
var KEPT = 500;

/**
 * A compiled script is a JavaScript function too, which hides its Java method. Rhino's own way around that
 * would keep a description of each script's class for ever.
 */
var EXEC = java.lang.Class.forName('org.mozilla.javascript.Script').getMethod('exec',
    java.lang.Class.forName('org.mozilla.javascript.Context'),
    java.lang.Class.forName('org.mozilla.javascript.Scriptable'));

/**
 * @param {Object} platform records and scopes must be there; what the Glide API needs may come later
 * @returns {Object} the engine
 */
exports.create = function (platform) {
    return new Engine(platform);
};

function Engine(platform) {
    this._platform = platform;
    this._compiled = new java.util.concurrent.ConcurrentHashMap();
    //: The newest of each name: mostly it is wanted again, and its long text need not be hashed to find it.
    this._newest = new java.util.concurrent.ConcurrentHashMap();
    /** The scope's name a configuration row belongs to. */
    this.scopeOf = platform.scopes.nameOf;
    this._includes = includes.create(platform, {
        scopeOf: this.scopeOf,
        namespaceOf: this._namespaceOf.bind(this),
        declare: this._declare.bind(this)
    });
}

/**
 * Run a script in the running transaction.
 *
 * @param {string} source
 * @param {string} name what errors call it, e.g. 'sys_script.Set the number'
 * @param {{scope: string, bindings: Object}} [options] the scope's default is the transaction's
 * @returns {*} the completion value; a string is a string and not a Java object
 * @throws {ScriptError} with script and line; `cause` is what was thrown
 */
Engine.prototype.run = function (source, name, options) {
    var given = options || {};
    var engine = this;
    var home = given.scope || context.current().scope;
    return context.within(home, function () {
        return engine._execute(source, name, engine._own(home, given.bindings));
    });
};

/**
 * Run a condition. An empty one holds.
 *
 * @param {string} source an expression, or a script that sets `answer`
 * @returns {boolean}
 */
Engine.prototype.condition = function (source, name, options) {
    if (!source || !String(source).trim()) {
        return true;
    }
    return this._answer(source, name, options || {}) === true;
};

/**
 * Run the script of an access rule. An empty one lets pass.
 *
 * @param {string} source sets `answer`, or ends with an expression
 * @param {string} name
 * @param {{scope: string, bindings: Object}} [options] `current` belongs into the bindings
 * @returns {boolean}
 */
Engine.prototype.runAcl = Engine.prototype.condition;

Engine.prototype._answer = function (source, name, options) {
    var engine = this;
    var home = options.scope || context.current().scope;
    return context.within(home, function () {
        var object = engine._own(home, options.bindings);
        var value;
        object.answer = undefined;
        value = engine._execute(source, name, object);
        return holds(object.answer === undefined ? value : flat(object.answer));
    });
};

/**
 * Rebuild a value of the emulator from the running transaction's standard objects, so that what a script gets
 * is its own kind of array and has ES5's methods only.
 *
 * @param {*} value objects, arrays and simple values
 */
Engine.prototype.adopt = function (value) {
    var standard = this._tenant().standard;
    var engine = this;
    if (Array.isArray(value)) {
        return value.reduce(function (list, item) {
            list.push(engine.adopt(item));
            return list;
        }, new standard.Array());
    }
    if (value && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
        return Object.keys(value).reduce(function (object, key) {
            object[key] = engine.adopt(value[key]);
            return object;
        }, new standard.Object());
    }
    return value;
};

Engine.prototype._tenant = function () {
    var transaction = context.current();
    transaction.tenant = transaction.tenant || namespace.tenant();
    return transaction.tenant;
};

Engine.prototype._namespaceOf = function (tenant, home) {
    var found = namespace.of(this._platform, tenant, home);
    this._includes.offer(found, tenant, home);
    return found.object;
};

/** A scope for one script, with what it is given. */
Engine.prototype._own = function (home, bindings) {
    var object = scope.over(this._namespaceOf(this._tenant(), home));
    Object.keys(bindings || {}).forEach(function (name) { object[name] = bindings[name]; });
    return object;
};

Engine.prototype._declare = function (include, below, loaded) {
    loaded.names = scope.over(below);
    // Its own from the start: otherwise its `var` would meet what offers the include to others.
    Object.defineProperty(loaded.names, include.name, {value: undefined, writable: true, configurable: true});
    this._execute(include.source, 'sys_script_include.' + include.name, loaded.names);
};

Engine.prototype._execute = function (source, name, object) {
    var script = this._script(String(source), String(name));
    deadline.begin(this._platform.properties);
    return scripterror.located(name, function () {
        return flat(EXEC.invoke(script, rhino.Context.getCurrentContext(), object));
    });
};

Engine.prototype._script = function (source, name) {
    var newest = this._newest.get(name);
    if (newest === null || newest.source !== source) {
        newest = this._kept(source, name);
        this._newest.put(name, newest);
    }
    return newest.script;
};

Engine.prototype._kept = function (source, name) {
    var key = name + '\u0000' + source;
    var kept = this._compiled.get(key);
    if (kept === null) {
        kept = {source: source, script: compiled(source, name)};
        if (this._compiled.size() >= KEPT) {
            this._compiled.clear();
            this._newest.clear();
        }
        this._compiled.put(key, kept);
    }
    return kept;
};

function compiled(source, name) {
    try {
        es5.check(source, name);
        return withPlaces(function (cx) { return cx.compileString(source, name, 1, null); });
    } catch (error) {
        throw scripterror.refused(error, name);
    }
}

/** Stack frames of a script carry its name only when it was compiled for debugging. */
function withPlaces(compile) {
    var cx = rhino.Context.getCurrentContext();
    var before = cx.isGeneratingDebug();
    cx.setGeneratingDebug(true);
    try {
        return deadline.watched(cx, function () { return compile(cx); });
    } finally {
        cx.setGeneratingDebug(before);
    }
}

/** Scripts answer with a truth value or with its name. */
function holds(answer) {
    return Boolean(answer) && String(answer) !== 'false';
}

/** What came through a Java call may be Java's string, number or truth value. */
function flat(value) {
    if (value instanceof java.lang.CharSequence) {
        return String(value);
    }
    if (value instanceof java.lang.Number) {
        return Number(value);
    }
    return value instanceof java.lang.Boolean ? value.booleanValue() : value;
}
