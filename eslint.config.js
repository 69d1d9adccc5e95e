/**
 * Rules for every script: ES5, the names each kind of script has, and the house rules.
 *
 * `claude-sidecar app lint` runs this over the ServiceNow app, scripts/lint over the emulator as well. A name that is
 * not listed here for its folder does not exist where the script runs.
 */
'use strict';

var fs = require('fs');
var path = require('path');
var recommended = require('@eslint/js').configs.recommended;

var APP = 'servicenow-app/';
var MAX_COLUMNS = 110;
var MAX_FUNCTION_LINES = 80;
var MAX_FILE_LINES = 500;
var MAX_CLIENT_LINES = 300;
var MAX_STATEMENTS = 25;

/** What scripts of an instance have. Nothing else of the platform is used without being added here. */
var INSTANCE = ['Class', 'gs', 'GlideAggregate', 'GlideDateTime', 'GlideRecord', 'GlideRecordSecure',
    'GlideSysAttachment', 'XMLDocument2', 'sn_ws_err'];
/** What a MID Server's scripts have: no gs, no GlideRecord, no include of the instance. */
var MID = ['Class', 'Packages', 'ms', 'probe'];
/** What a widget's server script has beside: the platform gives it these. */
var WIDGET_SERVER = ['$sp', 'data', 'input', 'options'];
/** What a browser's classes have: the one namespace they are in, and bytes. Collaborators give them the rest. */
var BROWSER_CLASS = ['window', 'ArrayBuffer', 'Uint8Array'];
/** What a widget's client script has; Angular gives it the rest as arguments. */
var WIDGET_CLIENT = ['api', 'window'];
/** What scripts of the emulated portal's pages have. */
var PAGE = ['angular', 'btoa', 'document', 'fetch', 'window'];
/** What Rhino's shell gives to the emulator's own programs. */
var RHINO = ['Packages', 'com', 'java', 'javax', 'org', 'JavaAdapter', 'print', 'quit', 'arguments'];

/** Methods and functions that Rhino or a browser may have, and ES5 does not. */
var NEWER_METHODS = '/^(startsWith|endsWith|includes|repeat|padStart|padEnd|trimStart|trimEnd|flat|flatMap|' +
    'codePointAt)$/';
var NEWER_FUNCTIONS = [
    ['Object', /^(assign|entries|values|fromEntries|is)$/], ['Array', /^(from|of)$/],
    ['Number', /^(isInteger|isSafeInteger|isFinite|isNaN|parseInt|parseFloat)$/],
    ['String', /^(raw|fromCodePoint)$/], ['Math', /^(trunc|sign|log2|log10|hypot)$/]
];

function files(folder, extension) {
    return fs.readdirSync(path.join(__dirname, folder)).filter(function (name) {
        return name.slice(-extension.length) === extension;
    });
}

/** The app's own classes: each file of the folder defines the one it is named after. */
function classes(folder) {
    return fs.existsSync(path.join(__dirname, folder)) ? files(folder, '.js').map(function (name) {
        return name.slice(0, -'.js'.length);
    }) : [];
}

function globals(names) {
    var known = {};
    names.forEach(function (name) {
        known[name] = 'readonly';
    });
    return known;
}

function called(object, property) {
    return 'CallExpression[callee.object.name="' + object + '"][callee.property.name=' + property + ']';
}

function forbidden(selector, message) {
    return {selector: selector, message: message};
}

var NEWER = [
    forbidden('CallExpression[callee.property.name=' + NEWER_METHODS + ']', 'ES5 has no such method.')
].concat(NEWER_FUNCTIONS.map(function (item) {
    return forbidden(called(item[0], item[1]), 'ES5 has no such function.');
}));

/** What an instance would do, but we do not: each has cost somebody a day. */
var HOUSE = [
    forbidden(called('gs', '"log"'), 'gs.log does not exist in scopes; use gs.info, gs.warn or gs.error.'),
    forbidden(called('gs', '"sleep"'), 'Waiting holds a thread of the instance.'),
    forbidden(called('gs', '"getProperty"') + '[arguments.length<2]', 'Read a property with a default.'),
    forbidden('CallExpression[callee.property.name="getRowCount"]', 'Count with GlideAggregate.'),
    forbidden('CallExpression[callee.property.name="setBasicAuth"]', 'No passwords in scripts.'),
    forbidden('Literal[value=/^[0-9a-f]{32}$/]', 'A sys_id is different on each instance.'),
    forbidden('Literal[value=/service-now\\.com/]', 'An address of an instance is a setting.'),
    forbidden('CallExpression[callee.name=/^Glide/]', 'It needs new.')
];

/** A class of the browser that takes time from elsewhere can be tested with a clock of the test's own. */
var COLLABORATORS = [
    forbidden('MemberExpression[object.name="window"][property.name!="claudeTerminal"]',
        'Take it as a collaborator; only Screen, Seal and the client scripts reach for the window.'),
    forbidden('NewExpression[callee.name="Date"]', 'Take the time from the timers.'),
    forbidden(called('Date', '"now"'), 'Take the time from the timers.')
];

var STYLE = {
    'array-callback-return': 'error',
    'consistent-return': 'error',
    'curly': 'error',
    'default-case-last': 'error',
    'eqeqeq': ['error', 'always', {'null': 'ignore'}],
    'id-denylist': ['error', 'gr'],
    'indent': ['error', 4, {SwitchCase: 1, ignoredNodes: ['ConditionalExpression', 'LogicalExpression *']}],
    'max-len': ['error', {code: MAX_COLUMNS, comments: 120}],
    'max-lines': ['error', MAX_FILE_LINES],
    'max-lines-per-function': ['error', {max: MAX_FUNCTION_LINES, IIFEs: false}],
    'new-cap': ['error', {capIsNew: false}],
    'no-array-constructor': 'error',
    'no-caller': 'error',
    'no-control-regex': 'off', // terminals are made of control characters
    'no-eval': 'error',
    'no-implied-eval': 'error',
    'no-loop-func': 'error',
    'no-new-func': 'error',
    'no-object-constructor': 'error',
    'no-tabs': 'error',
    'no-trailing-spaces': 'error',
    'no-unused-vars': ['error', {vars: 'local', args: 'after-used', caughtErrors: 'none'}],
    'no-useless-escape': 'off', // in a class of characters one more escape is easier to read than to know
    'no-use-before-define': ['error', {functions: false, variables: false}],
    'no-with': 'error',
    'quotes': ['error', 'single', {avoidEscape: true}],
    'semi': ['error', 'always']
};

function rules(restricted) {
    var all = {};
    Object.keys(STYLE).forEach(function (name) {
        all[name] = STYLE[name];
    });
    all['no-restricted-syntax'] = ['error'].concat(restricted);
    return all;
}

/** One kind of script. @param {string[]} names what it has beside the language */
function kind(patterns, names, restricted, sourceType) {
    return {
        files: patterns,
        languageOptions: {ecmaVersion: 5, sourceType: sourceType || 'script', globals: globals(names)},
        linterOptions: {reportUnusedDisableDirectives: 'error'},
        rules: rules(restricted)
    };
}

/** The same kind, but for some files. */
function without(patterns, kind) {
    kind.ignores = patterns;
    return kind;
}

/** Scripts of the emulated portal that run in the page. */
var PAGES = 'emulator/portal/client/*.js';
var PLATFORM = ['business-rules', 'jobs', 'script-includes'].map(function (folder) {
    return 'emulator/instance/platform/' + folder + '/*.js';
});
var OURS = classes(APP + 'script-includes');
var SERVER = NEWER.concat(HOUSE);

module.exports = [
    {ignores: ['**/node_modules/**', '.venv/**', '.demo/**', 'dist/**', 'build/**', 'sidecar/**']},
    recommended,
    kind([APP + 'script-includes/*.js'], INSTANCE.concat(OURS), SERVER),
    kind([APP + 'rest/*.js'], INSTANCE.concat(OURS, ['request', 'response']), SERVER),
    kind([APP + 'business-rules/*.js'], INSTANCE.concat(OURS, ['current', 'previous']), SERVER),
    kind([APP + 'scheduled-jobs/*.js'], INSTANCE.concat(OURS), SERVER),
    kind([APP + 'script-actions/*.js'], INSTANCE.concat(OURS, ['current', 'event']), SERVER),
    kind([APP + 'mid-script-includes/*.js'], MID, SERVER),
    kind([APP + 'ui-scripts/*.js'], BROWSER_CLASS, NEWER.concat(HOUSE, COLLABORATORS)),
    // These two are the edges: the terminal in the page, and the browser's own cryptography.
    kind([APP + 'ui-scripts/Screen.js', APP + 'ui-scripts/Seal.js'], BROWSER_CLASS.concat('document'),
        SERVER),
    kind([APP + 'widgets/*/client.js'], WIDGET_CLIENT, SERVER),
    kind([APP + 'widgets/*/server.js'], INSTANCE.concat(OURS, WIDGET_SERVER), SERVER),
    // The controller is one function around all others, so these are counted instead. A script longer than that
    // holds logic that belongs into a class.
    {files: [APP + 'widgets/*/client.js'], rules: {
        'max-lines': ['error', MAX_CLIENT_LINES],
        'max-lines-per-function': 'off',
        'max-statements': ['error', MAX_STATEMENTS, {ignoreTopLevelFunctions: true}]
    }},
    kind(['fix-scripts/*.js'], INSTANCE.concat(['Convergence', 'FIX_OPTIONS']), SERVER),
    without([PAGES], kind(['emulator/**/*.js', 'tests/**/*.js'], RHINO, [], 'commonjs')),
    kind([PAGES], PAGE, []),
    // Its objects are its own and plain; what comes from elsewhere is a value in them, not a method.
    {files: ['emulator/**/*.js'], rules: {'no-prototype-builtins': 'off'}},
    // These are the platform's own rules, jobs and classes, run as scripts of the instance.
    kind(PLATFORM, INSTANCE.concat(['current', 'previous']), NEWER),
    {
        files: ['eslint.config.js'],
        languageOptions: {ecmaVersion: 5, sourceType: 'commonjs', globals: globals(['__dirname'])},
        rules: rules(NEWER)
    },
    // The platform's wrapper of a rule names both, whether the rule needs them or not.
    {files: [APP + 'business-rules/*.js'], rules: {'no-unused-vars': ['error', {args: 'none'}]}},
    // A class of its own file is no second declaration of the name the others know it by.
    {files: [APP + 'script-includes/*.js', 'fix-scripts/converge.js'], rules: {'no-redeclare': 'off'}}
];
