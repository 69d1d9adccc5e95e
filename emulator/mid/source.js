/** Scripts of others: checked to be ES5, and compiled. */

var es5 = require('es5');

var rhino = Packages.org.mozilla.javascript;
var SCRIPT = java.lang.Class.forName('org.mozilla.javascript.Script');
/** Rhino's interpreter knows the line of an error; its generated classes have lost the name of the script. */
var INTERPRETED = -1;

/**
 * Compile a script.
 *
 * @param {string} text the script
 * @param {string} name what errors call it
 * @returns {org.mozilla.javascript.Script} runs in any scope by `exec`, more than once
 * @throws {Error} when it is not ES5
 */
exports.compile = function (text, name) {
    var context = rhino.Context.getCurrentContext();
    var before = context.getOptimizationLevel();
    es5.check(text, name);
    context.setOptimizationLevel(INTERPRETED);
    try {
        // To Rhino a script is a function; only wrapped as a Java object it shows `exec`, which takes a scope.
        return new rhino.NativeJavaObject(exports, context.compileString(text, name, 1, null), SCRIPT);
    } finally {
        context.setOptimizationLevel(before);
    }
};
