/**
 * What a script finds when it starts: ES5's standard objects and the server side API, one set for each scope.
 */

var scope = require('scope');

/** Each of these puts constructors or objects on a namespace: `install(object, platform, scopeName)`. */
var PARTS = [
    require('./glide/system'), require('./glide/datetime'), require('./glide/xml'), require('./glide/errors'),
    require('./glide/classes'), require('./glide/record'), require('./glide/secure'),
    require('./glide/aggregate'), require('./glide/table_creator'), require('./glide/attachment')
];

/**
 * Build the script side of one transaction.
 *
 * @returns {Object} standard objects shared by its namespaces, which are built as scopes are entered
 */
exports.tenant = function () {
    var standard = scope.standard();
    close(standard);
    return {standard: standard, namespaces: {}, loaded: {}};
};

/** Text that becomes code while a script runs would never be checked. Functions stay instances of Function. */
function close(standard) {
    var prototype = standard.Function.prototype;
    standard.eval = refusing('eval()');
    standard.Function = refusing('The constructor Function()');
    standard.Function.prototype = prototype;
    prototype.constructor = standard.Function;
}

function refusing(what) {
    return function () {
        throw new Error(what + ' is not provided by the emulator: write the code into the script');
    };
}

// Scripts reach this one through any function of the emulator's; the emulator itself never calls it.
Function.prototype.constructor = refusing('The constructor Function()');

/**
 * Find or build the namespace of a scope.
 *
 * @param {Object} platform
 * @param {Object} tenant
 * @param {string} name of the scope
 * @returns {{object: Object, offered: Object}} the scope object, and the includes it has been told of
 */
exports.of = function (platform, tenant, name) {
    if (!tenant.namespaces[name]) {
        tenant.namespaces[name] = {object: build(platform, tenant, name), offered: null};
    }
    return tenant.namespaces[name];
};

function build(platform, tenant, name) {
    var object = scope.over(tenant.standard);
    PARTS.forEach(function (part) { part.install(object, platform, name); });
    return object;
}
