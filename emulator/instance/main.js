/**
 * Puts an emulated instance together and runs it: `main.js --data DIR [--port N] [--name NAME]`.
 */

var amb = require('http/amb');
var content = require('platform/install');
var faults = require('http/faults');
var signin = require('http/signin');
var control = require('http/control');
var deadline = require('./deadline');
var scripted = require('http/scripted');
var server = require('http/server');
var soap = require('http/soap');
var table = require('http/table');
var tokens = require('http/tokens');
var updateset = require('http/updateset');
var people = require('platform/people');
var portal = require('../portal/portal');
var users = require('platform/users');
var watchers = require('http/watchers');

var DEFAULT_PASSWORD = 'admin';
var FAILED = 3;
var PASSWORD_FILE = 'admin-password';

/** Build everything that works on the database of a data directory. */
function assemble(options) {
    var folder = new java.io.File(options.data);
    folder.mkdirs();
    var platform = {
        name: options.name, folder: String(folder.getAbsolutePath()), context: require('./context')
    };
    platform.store = require('store').open(new java.io.File(folder, 'instance.db').getPath());
    platform.dictionary = require('dictionary').open(platform.store);
    platform.fresh = !platform.store.tableExists('sys_db_object');
    if (platform.fresh) {
        content.tables(platform.dictionary);
    }
    services(platform);
    return platform;
}

// The order is that of need: each takes from the platform what stands above it.
function services(platform) {
    platform.key = require('cipher').key(platform.folder + '/instance.key');
    platform.log = require('./log').create(platform.store);
    platform.records = require('records').open(platform);
    platform.properties = require('./properties').create(platform);
    platform.scopes = require('./scopes').create(platform);
    platform.users = new users.Users(platform);
    platform.engine = require('./engine').create(platform);
    platform.evaluate = function (source) { return platform.engine.run(source, 'query', {scope: 'global'}); };
    platform.acl = require('acl').open(platform);
    platform.jobs = require('./jobs').create(platform);
    platform.events = require('./events').create(platform);
    platform.rules = require('./rules').create(platform);
}

/** Insert what an empty instance has; bring the platform's own scripts up to date. */
function fill(platform) {
    platform.context.run(platform.context.system(), function () {
        if (platform.fresh) {
            content.records(platform.records, firstPassword(platform.folder));
        }
        content.scripts(platform);
    });
}

// A file, not an argument: arguments can be read by everybody on the computer.
function firstPassword(folder) {
    var file = new java.io.File(folder, PASSWORD_FILE);
    return file.exists() ? String(java.nio.file.Files.readString(file.toPath())).trim() : DEFAULT_PASSWORD;
}

function serve(platform, options, again) {
    var issued = new tokens.Tokens(platform);
    var parts = {
        users: platform.users, people: new people.People(platform),
        signIn: new signin.SignIn(platform.users, issued),
        faults: new faults.Faults(discovery(platform)), updateSets: new updateset.UpdateSets(platform),
        stop: function () { java.lang.System.exit(0); }, restart: again
    };
    var handlers = [
        new control.Control(platform, parts), parts.signIn, issued,
        new table.TableApi(platform, parts.signIn), new scripted.Scripted(platform, parts.signIn),
        new soap.Soap(platform, parts.signIn, parts.faults),
        new amb.Amb(parts.signIn, parts.faults, new watchers.Watchers(platform)),
        new portal.Portal(platform, parts.signIn)
    ];
    var web = new server.Server(platform, handlers, parts.faults);
    return {web: web, port: web.start(options.port)};
}

function discovery(platform) {
    var NAME = 'emulator.discovery';
    return {
        discovery: function () { return platform.properties.get(NAME, 'false') === 'true'; },
        setDiscovery: function (on) {
            platform.context.run(platform.context.system(), function () {
                platform.properties.set(NAME, String(on));
            });
        }
    };
}

function arguments_(list) {
    var options = {data: null, port: 0, name: 'emulated'};
    for (var i = 0; i < list.length; i += 2) {
        var name = String(list[i]).replace(/^--/, '');
        if (!options.hasOwnProperty(name) || list[i + 1] === undefined) {
            throw new Error('usage: main.js --data DIR [--port N] [--name NAME]');
        }
        options[name] = String(list[i + 1]);
    }
    if (options.data === null || !/^\d{1,5}$/.test(options.port)) {
        throw new Error('usage: main.js --data DIR [--port N] [--name NAME]');
    }
    options.port = parseInt(options.port, 10);
    return options;
}

/**
 * One run on a data directory, from its start to its end; nothing of it outlives it in memory.
 *
 * @param {function(string)} again ends this run and begins another one, on the data directory it is given
 */
function live(options, again) {
    var platform = assemble(options);
    var running;
    fill(platform);
    platform.jobs.start();
    platform.events.start();
    running = serve(platform, options, again);
    java.lang.System.out.println('emulated instance listening on http://127.0.0.1:' + running.port);
    return {port: running.port, end: function () {
        running.web.stop();
        platform.jobs.stop();
        platform.events.stop();
        platform.store.close();
    }};
}

function main(options) {
    var life = live(options, again);

    function again(data) {
        var next = {data: data, port: life.port, name: options.name};
        try {
            life.end();
            life = live(next, again);
        } catch (error) {
            givenUp(error);
        }
    }

    java.lang.Runtime.getRuntime().addShutdownHook(new java.lang.Thread(function () { life.end(); }));
}

function givenUp(error) {
    java.lang.System.err.println('The instance cannot start: ' + (error.message || error) +
        (error.rhinoException ? '\n' + error.rhinoException.getScriptStackTrace() : ''));
    java.lang.System.exit(FAILED);
}

deadline.enable(main.bind(null, arguments_(Array.prototype.slice.call(arguments))), givenUp);
