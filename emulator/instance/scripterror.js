/**
 * What becomes of an error in a foreign script: an Error that says which script and which line.
 *
 * Scripts may throw anything, and JavaScript shows the place only of Error objects. The Java exception below
 * knows it for all of them, so scripts run inside a FutureTask, which hands that exception out.
 */

var rhino = Packages.org.mozilla.javascript;

/** What frames of the emulator's own modules are called; only foreign scripts are compiled with their names. */
var OWN_MODULE = /^file:|^\(unknown\)$/;

/** Names of the platform that scripts of others use and that are not here. */
var UNKNOWN = new RegExp('^ReferenceError: "(Glide[A-Z]\\w*|sn_\\w+|Sysapproval|SNC|Workflow|' +
    '(Array|JS|Table|Date|String)Utils?|GwtMessage|AutomationUtils|MIDServer\\w*)" is');

/**
 * @param {string} detail what went wrong
 * @param {string} scriptName
 * @param {number} line 0 = not known
 * @param {*} cause what the script threw
 */
function ScriptError(detail, scriptName, line, cause) {
    this.detail = detail;
    this.scriptName = scriptName;
    this.scriptLine = line;
    this.cause = cause;
    this.message = detail + ' (' + scriptName + (line ? '; line ' + line : '') + ')';
}

ScriptError.prototype = Object.create(Error.prototype);
ScriptError.prototype.constructor = ScriptError;
ScriptError.prototype.name = 'ScriptError';

exports.ScriptError = ScriptError;

/**
 * Run a piece of a foreign script.
 *
 * @param {string} name the script, in case it does not get far enough to say so itself
 * @param {function()} work
 * @returns {*} its value
 * @throws {ScriptError}
 */
exports.located = function (name, work) {
    var value;
    var task = new java.util.concurrent.FutureTask(function () { value = work(); }, null);
    task.run();
    try {
        task.get();
    } catch (error) {
        throw translated(error.javaException.getCause(), name);
    }
    return value;
};

/**
 * The same for a script that does not compile.
 *
 * @param {Error} error of the ES5 check, which knows the place, or of the compiler
 * @param {string} name the script
 * @returns {ScriptError}
 */
exports.refused = function (error, name) {
    if (error.scriptLine) {
        return new ScriptError('SyntaxError: ' + error.detail, error.scriptName, error.scriptLine, error);
    }
    return translated(error.rhinoException || error, name);
};

function translated(exception, name) {
    var thrown = exception instanceof rhino.JavaScriptException ? exception.getValue() : null;
    var place;
    if (thrown instanceof ScriptError) {
        return thrown;
    }
    if (thrown !== null && thrown !== undefined && thrown.scriptLine) {
        return new ScriptError(String(thrown.message), thrown.scriptName, thrown.scriptLine, thrown);
    }
    place = frame(exception) || {name: name, line: 0};
    return new ScriptError(text(exception, thrown), place.name, place.line,
        thrown === null ? exception : thrown);
}

/** The innermost line of a foreign script; the emulator's own frames above it only confuse. */
function frame(exception) {
    // A script that was cut off has its place in the cause.
    var placed = exception instanceof java.lang.Error ? exception.getCause() : exception;
    var frames = placed instanceof rhino.RhinoException ? placed.getScriptStack() : [];
    var i;
    var file;
    for (i = 0; i < frames.length; i += 1) {
        file = String(frames[i].fileName);
        if (!OWN_MODULE.test(file)) {
            return {name: file, line: Number(frames[i].lineNumber)};
        }
    }
    return null;
}

function text(exception, thrown) {
    if (exception instanceof java.lang.StackOverflowError) {
        return 'too much recursion';
    }
    if (exception instanceof java.lang.Error) {
        return String(exception.getMessage());
    }
    if (exception instanceof rhino.WrappedException) {
        return String(exception.getWrappedException());
    }
    if (thrown === null) {
        return exception instanceof rhino.RhinoException ?
            hinted(String(exception.details())) : String(exception);
    }
    return hinted(described(thrown));
}

/** A name that only sounds like the platform's is a typing error; one of these is a gap of the emulator. */
function hinted(text) {
    return UNKNOWN.test(text) ?
        text + ' The emulator does not provide it; its README lists what there is.' : text;
}

function described(thrown) {
    return thrown && thrown.name && thrown.message !== undefined ? thrown.name + ': ' + thrown.message :
        String(thrown);
}
