/**
 * Script Includes: named classes that a scope sees as soon as it names them.
 *
 * A name is looked up on its first use, so an include may use others without an order. Each one runs in its
 * own scope's namespace, and of what its file declares only the name of the include can be seen outside.
 */

var cache = require('./cache');

/**
 * @param {Object} platform
 * @param {{scopeOf: function, namespaceOf: function, declare: function}} engine what of the engine is needed:
 *     a row's scope, the namespace of a scope, and running a file for the names it declares
 * @returns {{offer: function}}
 */
exports.create = function (platform, engine) {
    var index = cache.of(platform, 'sys_script_include', function (rows) {
        return rows.filter(function (row) { return row.active === '1' && row.name; }).map(function (row) {
            return {
                sysId: row.sys_id,
                name: row.name,
                scope: engine.scopeOf(row),
                open: row.access === 'public',
                source: row.script || ''
            };
        });
    });

    function load(tenant, include) {
        var loaded = tenant.loaded[include.sysId];
        if (!loaded) {
            // Known before it has run: an include that names itself, or two that name each other, must end.
            loaded = tenant.loaded[include.sysId] = {names: null, done: false};
            engine.declare(include, engine.namespaceOf(tenant, include.scope), loaded);
            loaded.done = true;
        }
        if (loaded.done && loaded.names[include.name] === undefined) {
            throw new Error('Script Include ' + include.name + ' declares no ' + include.name);
        }
        return loaded.names[include.name];
    }

    /** Put the names of a list of includes on an object, each to be loaded when it is first read. */
    function define(target, tenant, includes, asking) {
        includes.forEach(function (include) {
            Object.defineProperty(target, include.name, {
                configurable: true,
                get: function () { return load(tenant, permitted(include, asking)); },
                set: function (value) {
                    Object.defineProperty(target, include.name, {
                        value: value, configurable: true, writable: true
                    });
                }
            });
        });
    }

    /**
     * Let a namespace see what its scope may: its own includes by name, other scopes' public ones as
     * `scope.Name`.
     */
    function offer(namespace, tenant, asking) {
        var includes = index();
        if (namespace.offered === includes) {
            return;
        }
        namespace.offered = includes;
        byScope(includes).forEach(function (group) {
            if (group.scope === asking) {
                define(namespace.object, tenant, group.includes, asking);
            }
            var holder = namespace.object[group.scope] = namespace.object[group.scope] || {};
            define(holder, tenant, group.includes, asking);
        });
    }

    return {offer: offer};
};

function permitted(include, asking) {
    if (!include.open && include.scope !== asking) {
        throw new Error('Script Include ' + include.scope + '.' + include.name + ' is not accessible from ' +
            'scope ' + asking + ': it is private to its application');
    }
    return include;
}

function byScope(includes) {
    var groups = {};
    includes.forEach(function (include) {
        groups[include.scope] = groups[include.scope] || {scope: include.scope, includes: []};
        groups[include.scope].includes.push(include);
    });
    return Object.keys(groups).map(function (scope) { return groups[scope]; });
}
