/**
 * The portal's own files for the browser: AngularJS, the code that shows pages, and its style sheet.
 */

var content = require('./content');
var web = require('http/exchange');

var FOLDER = String(new java.io.File(new java.net.URI(module.uri)).getParentFile().getCanonicalPath());
var ANGULAR = FOLDER + '/../../node_modules/angular/angular.min.js';
var PREFIX = '/portal-files/';

/** In the order in which they build on each other. */
var CLIENT = ['app', 'notices', 'loader', 'amb', 'watcher', 'server', 'util', 'widget', 'page'];

exports.Assets = function () {
    this._kept = new java.util.concurrent.ConcurrentHashMap();
};

exports.Assets.prototype = {
    takes: function (path) {
        return path.indexOf(PREFIX) === 0;
    },

    /** @returns {string} the address of one of the files */
    address: function (name) {
        return PREFIX + name + '?v=' + this._file(name).version;
    },

    /** Answer with a file. */
    send: function (exchange) {
        this._file(exchange.path.slice(PREFIX.length)).send(exchange);
    },

    _file: function (name) {
        var kept = this._kept.get(name);
        if (kept === null) {
            kept = made(name);
            this._kept.put(name, kept);
        }
        return kept;
    }
};

function made(name) {
    if (name === 'angular.js') {
        return content.of(name, 'text/javascript;charset=UTF-8', angular());
    }
    if (name === 'portal.js') {
        return content.of(name, 'text/javascript;charset=UTF-8', CLIENT.map(function (each) {
            return read(FOLDER + '/client/' + each + '.js');
        }).join('\n'));
    }
    if (name === 'portal.css') {
        return content.of(name, 'text/css;charset=UTF-8', read(FOLDER + '/client/portal.css'));
    }
    throw new web.Refusal(404, 'No such file', name);
}

function angular() {
    if (!new java.io.File(ANGULAR).exists()) {
        throw new web.Refusal(500, 'AngularJS is missing', 'Run npm ci in the checkout');
    }
    // What it names for debugging is not served.
    return read(ANGULAR).replace(/\/\/# sourceMappingURL=.*\s*$/, '');
}

function read(path) {
    return String(java.nio.file.Files.readString(new java.io.File(path).toPath()));
}
