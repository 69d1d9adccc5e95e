/**
 * Which scripted REST resource a method and a path mean.
 */

var cache = require('cache');
var web = require('http/exchange');

/** @param {Object} platform */
exports.Resources = function (platform) {
    this._platform = platform;
    this._tables = ['sys_ws_definition', 'sys_ws_version', 'sys_ws_operation'].map(function (table) {
        return cache.of(platform, table, function (rows) { return rows; });
    });
};

exports.Resources.prototype = {
    /** @returns {boolean} whether some service's paths begin like this one */
    takes: function (path) {
        return this._all().some(function (resource) { return under(resource.base, path); });
    },

    /**
     * @returns {{operation: Object, service: Object, path: Object}} the records, and the path's variables
     */
    find: function (method, rawPath) {
        var parts = segments(rawPath);
        var fitting = this._all().filter(function (resource) { return fits(resource.parts, parts); });
        var chosen = fitting.filter(function (resource) {
            return resource.operation.http_method === method;
        });
        if (fitting.length === 0) {
            throw new web.Refusal(400, 'Requested URI does not represent any resource', null);
        }
        if (chosen.length === 0) {
            throw new web.Refusal(405, 'Method not supported',
                'No resource takes ' + method + ' at this path');
        }
        // A fixed word goes before a variable.
        chosen.sort(function (one, other) { return variables(one.parts) - variables(other.parts); });
        return {
            operation: chosen[0].operation, service: chosen[0].service, path: values(chosen[0].parts, parts)
        };
    },

    _all: function () {
        var services = byId(this._tables[0]());
        var versions = byId(this._tables[1]());
        return this._tables[2]().filter(function (operation) {
            var service = services[operation.web_service_definition];
            return operation.active === '1' && service !== undefined && service.active === '1';
        }).map(function (operation) {
            var service = services[operation.web_service_definition];
            return resource(service, versions[operation.web_service_version], operation);
        });
    }
};

function resource(service, version, operation) {
    var number = version === undefined ? '' : '/' + (version.version_id || 'v' + version.version);
    var base = '/api/' + service.namespace + number + '/' + service.service_id;
    return {
        base: base, parts: segments(base + (operation.relative_path || '/')), service: service,
        operation: operation
    };
}

function under(base, path) {
    return path === base || path.indexOf(base + '/') === 0;
}

function segments(path) {
    return path.split('/').filter(function (part) { return part !== ''; });
}

function isVariable(part) {
    return part.charAt(0) === '{';
}

function variables(parts) {
    return parts.filter(isVariable).length;
}

function fits(wanted, given) {
    return wanted.length === given.length && wanted.every(function (part, index) {
        return isVariable(part) || part === given[index];
    });
}

function values(wanted, given) {
    var found = {};
    wanted.forEach(function (part, index) {
        if (isVariable(part)) {
            found[part.slice(1, -1)] = decoded(given[index]);
        }
    });
    return found;
}

// A plus sign in a path means itself.
function decoded(part) {
    try {
        return decodeURIComponent(part);
    } catch (error) {
        throw new web.Refusal(400, 'Bad Request', 'The path is not correctly encoded');
    }
}

function byId(rows) {
    var found = {};
    rows.forEach(function (row) { found[row.sys_id] = row; });
    return found;
}
