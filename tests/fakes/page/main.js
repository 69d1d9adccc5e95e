/**
 * Runs the browser classes of the app, the very files, on a page that is not there: a clock that is told to move,
 * promises, and an instance. One JSON line in for each run, with a `script` and what is `given` to it, and one line
 * out, with its `value` or the `error`.
 *
 * Arguments: the files of the classes, in the order in which a page loads them.
 */

var es5 = require('es5');
var promises = require('promises');
var timers = require('timers');
var http = require('http');
var instance = require('instance');
var screen = require('screen');

var context = Packages.org.mozilla.javascript.Context.getCurrentContext();
var SCRIPT = java.lang.Class.forName('org.mozilla.javascript.Script');
var classes = Array.prototype.map.call(arguments, function (path) {
    var source = read(path);
    es5.check(source, path);
    return compiled('(function (window) {' + source + '\n})', path);
});
var known = {};

serve(new java.io.BufferedReader(new java.io.InputStreamReader(java.lang.System['in'], 'UTF-8')));

function read(path) {
    var bytes = java.nio.file.Files.readAllBytes(new java.io.File(path).toPath());
    return String(new java.lang.String(bytes, 'UTF-8'));
}

/** To Rhino a compiled script is a function; only as a Java object it shows `exec`. */
function compiled(source, name) {
    return new Packages.org.mozilla.javascript.NativeJavaObject(exports,
        context.compileString(source, name, 1, null), SCRIPT);
}

function serve(lines) {
    var line = lines.readLine();
    while (line !== null) {
        print(JSON.stringify(answer(JSON.parse(String(line)))));
        line = lines.readLine();
    }
}

function answer(asked) {
    var page = fresh();
    var source = '(function (ns, page, given) {' + asked.script + '\n})';
    var value;
    known[source] = known[source] || compiled(source, 'test');
    try {
        value = known[source].exec(context, exports)(page.ns, page, asked.given);
    } catch (error) {
        return {error: String(error) + '\n' + (error.rhinoException ?
            error.rhinoException.getScriptStackTrace() : '')};
    }
    return {value: value === undefined ? null : value};
}

/** A page that has just loaded. */
function fresh() {
    var window = {};
    var page = {};
    classes.forEach(function (made) {
        made.exec(context, exports)(window);
    });
    page.ns = window.claudeTerminal;
    page.promises = promises.make();
    page.timers = timers.make(page.promises);
    page.http = http.make(page.timers, page.promises);
    page.instance = instance.make(page);
    page.screen = screen.make();
    return page;
}
