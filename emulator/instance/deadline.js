/**
 * The time a transaction may take: one whose script never ends is cut off, as by the platform's quotas.
 * [c_DefaultQuotaRules for the 60 s of REST; the other limit is inferred]
 *
 * Rhino lets the factory of its contexts look at running scripts now and then. The shell's factory does not,
 * so the instance runs in contexts of another one; threads that are started there get theirs from it too.
 */

var context = require('./context');

var rhino = Packages.org.mozilla.javascript;
var handles = java.lang.invoke.MethodHandles;
var methodType = java.lang.invoke.MethodType.methodType;

var REST_MS = 60000;
var OTHER_MS = 300000;
/** An administrator may change both; tests do. */
var PROPERTY = 'emulator.script_seconds';
/** How many instructions of a script pass between two looks at the clock. */
var STEP = 100000;

/**
 * Give the running transaction its limit, when it has none yet.
 *
 * @param {Object} properties
 */
exports.begin = function (properties) {
    var transaction = context.current();
    var seconds = transaction.until === null && Number(properties.get(PROPERTY, ''));
    if (transaction.until === null) {
        transaction.until = Date.now() + (seconds * 1000 || (transaction.rest ? REST_MS : OTHER_MS));
    }
};

/** Compile so that the clock is looked at. */
exports.watched = function (cx, compile) {
    cx.setGenerateObserverCount(true);
    try {
        return compile();
    } finally {
        cx.setGenerateObserverCount(false);
    }
};

/**
 * Do some work, and all that it starts, where scripts can be cut off.
 *
 * @param {function()} work is done soon; the thread that asks must end first, for it may hold the lock that
 *     `require` takes
 * @param {function(*)} failed is told when it throws
 */
exports.enable = function (work, failed) {
    new java.lang.Thread(runnable(factory(), function () {
        try {
            work();
        } catch (error) {
            failed(error);
        }
    }), 'main').start();
};

function factory() {
    var shell = rhino.Context.getCurrentContext();
    var version = shell.getLanguageVersion();
    var level = shell.getOptimizationLevel();
    return new JavaAdapter(rhino.ContextFactory, {
        onContextCreated: function (cx) {
            cx.setLanguageVersion(version);
            cx.setOptimizationLevel(level);
            cx.setInstructionObserverThreshold(STEP);
            // Which that has switched on; the emulator's own modules need it not.
            cx.setGenerateObserverCount(false);
        },
        observeInstructionCount: look
    });
}

/** No function of JavaScript can be given to the thread: it would bring a context of the shell's. */
function runnable(ours, work) {
    var action = new JavaAdapter(rhino.ContextAction, {run: work});
    var call = handles.publicLookup().findVirtual(named('org.mozilla.javascript.ContextFactory'), 'call',
        methodType(named('java.lang.Object'), named('org.mozilla.javascript.ContextAction')));
    var bound = handles.insertArguments(call, 0, [ours, action]).asType(methodType(java.lang.Void.TYPE));
    return java.lang.invoke.MethodHandleProxies.asInterfaceInstance(named('java.lang.Runnable'), bound);
}

function named(type) {
    return java.lang.Class.forName(type);
}

/** Java's Error, and not an exception, because no script can catch it. */
function look() {
    var until = context.running() ? context.current().until : null;
    var place;
    if (until !== null && Date.now() > until) {
        place = new rhino.EvaluatorException('Transaction cancelled: maximum execution time exceeded');
        handles.throwException(java.lang.Void.TYPE, named('java.lang.Error'))
            .invokeWithArguments([new java.lang.Error(place.details(), place)]);
    }
}
