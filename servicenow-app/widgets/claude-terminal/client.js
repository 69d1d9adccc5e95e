api.controller = function ($scope, $http, $q, $window, $timeout, $element, $location, spUtil) {
    var c = this;
    var ns = $window.claudeTerminal;
    var LOOK = 'claude_terminal.look';
    var NOTICE_MS = 4000;
    var LEAST_PX = 420;
    var BELOW_PX = 12;
    var root = $element[0];
    var page, timers, calls, screen, attachment, watched, trouble, dismissed, noticing, starting, bookmark;

    // A clone of the widget has none of its dependencies until somebody gives them to it.
    c.broken = !ns || !ns.Attachment || !$window.Terminal || !$window.FitAddon;
    if (c.broken) {
        return;
    }
    page = new ns.Page($window);
    timers = page.timers;
    calls = new ns.Calls({http: $http, promises: $q, timers: timers, send: page.send});
    c.lobby = new ns.Lobby({fetch: fetch, timers: timers, onChange: changed, idle: function () {
        return !c.current && !c.starting && !page.hidden();
    }});
    bookmark = new ns.Bookmark({memory: page.tab, location: $location, calls: calls, promises: $q,
        known: c.lobby.find.bind(c.lobby), onFound: open, onMissed: failed});
    c.current = null; // the session that is open
    c.starting = null; // words, while one is being made
    c.listed = false;
    c.notice = '';
    c.look = page.browser.read(LOOK) || {font: 0, theme: 'dark', accessible: false};
    c.form = {workspaceType: 'persistent', workspaceName: 'default', mid: '', model: ''};

    // --- sessions ----------------------------------------------------------------------------------------

    c.open = open;

    function open(session) {
        var same = c.current && c.current.sessionId === session.sessionId;
        c.listed = false;
        if (same && !c.problem) {
            screen.focus();
            return;
        }
        c.current = session;
        c.title = ns.Label.name(session);
        trouble = dismissed = null;
        bookmark.put(session.sessionId);
        screen.clear();
        attachment.open(session);
        screen.focus();
    };

    c.home = function () {
        c.listed = false;
        c.current = null;
        trouble = null;
        bookmark.put(null);
        attachment.leave();
        show();
        return c.lobby.refresh();
    };

    c.create = function () {
        var size = screen.size();
        var named = c.form.workspaceType === 'persistent';
        var wanted = {workspaceType: c.form.workspaceType, columns: size.columns, rows: size.rows,
            workspaceName: named ? c.form.workspaceName : undefined, mid: c.form.mid || undefined,
            model: c.form.model || undefined};
        c.close('new');
        trouble = null;
        c.starting = {text: 'Starting Claude' + (wanted.mid ? ' on ' + wanted.mid : ''), late: ''};
        calls.ask('POST', '/sessions', wanted, {onLate: function (problem) {
            c.starting.late = problem.advice().text;
        }}).then(function (made) {
            return calls.get('/sessions/' + made.sessionId);
        }).then(c.open, failed).finally(function () {
            c.starting = null;
            c.lobby.refresh();
        });
    };

    c.end = function () {
        c.close('end');
        calls.ask('DELETE', '/sessions/' + c.current.sessionId).then(function () {
            c.lobby.refresh();
        }, failed);
    };

    c.take = function () {
        attachment.take();
        screen.focus();
    };

    // --- what is shown -----------------------------------------------------------------------------------

    /** @returns {string} which card covers the terminal; '' for none */
    c.stage = function () {
        return c.starting ? 'starting' : c.current ? '' : c.lobby.stage();
    };

    c.toggleList = function () {
        c.listed = !c.listed;
        if (c.listed) {
            c.lobby.refresh();
        }
    };

    c.ask = function (name) {
        c.listed = false;
        dialog(name).showModal();
    };

    c.close = function (name) {
        dialog(name).close();
        if (c.current) {
            screen.focus();
        }
    };

    /** The button beside a problem. */
    c.act = function () {
        var action = c.problem.action;
        c.dismiss();
        if (action === 'new') {
            c.ask('new');
        } else if (action === 'signin') {
            $window.location.reload();
        } else {
            retry();
        }
    };

    c.dismiss = function () {
        dismissed = trouble ? null : c.problem.text;
        trouble = c.lobby.problem = null;
        show();
    };

    c.key = function (event) {
        if (event.key === 'Escape' && c.listed) {
            c.listed = false;
            root.querySelector('.ct-picker').focus();
        } else if (event.key === 'F6' && !event.isDefaultPrevented() && c.current) {
            event.preventDefault();
            screen.focus();
        }
    };

    // --- the terminal ------------------------------------------------------------------------------------

    c.type = function (text) {
        screen.type(text);
        screen.focus();
    };

    c.copy = function () {
        var copied = screen.copy();
        say(copied === 'selection' ? 'The selection was copied.' : copied ? 'The screen was copied.' :
            'Your browser does not let this page copy.');
        screen.focus();
    };

    c.paste = function () {
        $q.when(page.clipboard()).then(screen.paste.bind(screen), function () {
            say('Your browser does not let this page read the clipboard. Press Ctrl-V in the terminal.');
        }).finally(function () {
            screen.focus();
        });
    };

    c.zoom = function (step) {
        c.turn('font', screen.font(c.look.font) + step);
    };

    /** @param {string} name font, theme or accessible: both the screen's method and what is remembered */
    c.turn = function (name, value) {
        c.look[name] = value;
        screen[name](value);
        page.browser.write(LOOK, c.look);
    };

    /** A link in what a program printed. Its letters may say anything, so that its address is shown first. */
    function follow(link) {
        $scope.$applyAsync(function () {
            c.link = link;
            c.ask('link');
        });
    }

    // -----------------------------------------------------------------------------------------------------

    function start() {
        screen = new ns.Screen({element: root.querySelector('.ct-screen'), terminal: $window.Terminal,
            fit: $window.FitAddon, onLeave: function () {
                root.querySelector('.ct-picker').focus();
            }, onLink: follow});
        attachment = new ns.Attachment({calls: calls, watch: watch, screen: screen, timers: timers,
            promises: $q, onChange: changed, attended: page.attended.bind(page)});
        page.listen({resize: fill, online: wake, focus: wake, visibilitychange: wake,
            pagehide: attachment.hide.bind(attachment)});
        fill();
        ['font', 'theme', 'accessible'].forEach(function (name) {
            screen[name](c.look[name]);
        });
        bookmark.open();
        c.lobby.open();
    }

    function stop() {
        $timeout.cancel(starting);
        page.deafen();
        c.lobby.close();
        timers.cancel(noticing);
        if (screen) { // a page may be left before it is painted
            attachment.leave();
            screen.dispose();
        }
    }

    /** Take what the window has below the page's header. */
    function fill() {
        page.fill(root.querySelector('.ct-terminal'), LEAST_PX, BELOW_PX);
    }

    function wake() {
        if (page.hidden()) {
            attachment.doze();
        } else {
            attachment.wake();
            bookmark.again();
        }
        if (c.lobby.problem) {
            c.lobby.refresh();
        }
    }

    function retry() {
        attachment.wake();
        bookmark.again();
        c.lobby.refresh();
    }

    function fetch(ended) {
        return c.server.get({action: 'list', ended: ended}).then(function (answer) {
            return answer.data;
        });
    }

    function changed() {
        show();
        $scope.$applyAsync();
    }

    function show() {
        var said, problem, advice;
        c.view = attachment ? attachment.view : {};
        c.pill = ns.Label.state(c.view);
        c.ended = ns.Label.ended(c.view);
        c.latency = ns.Label.latency(c.view.latency);
        c.reading = !!c.current && !c.ended && c.view.claimed && !c.view.writer;
        c.still = c.ended || c.reading;
        // What has a line of its own above the terminal is not said twice.
        said = c.view.problem && !c.ended && c.view.problem.title !== 'Read only' ? c.view.problem : null;
        problem = trouble || c.lobby.problem || said;
        advice = problem ? problem.advice() : null;
        c.problem = advice && advice.text !== dismissed ? advice : null;
    }

    function failed(problem) {
        trouble = problem ? ns.Problem.of(problem) : null;
        show();
    }

    function say(text) {
        c.notice = text;
        timers.cancel(noticing);
        noticing = timers.after(NOTICE_MS, function () {
            c.notice = '';
            $scope.$applyAsync();
        });
    }

    function dialog(name) {
        return root.querySelector('.ct-dialog-' + name);
    }

    /** A watch ends with its scope only, and one session at a time is watched. */
    function watch(table, filter, fn) {
        if (watched) {
            watched.$destroy();
        }
        watched = $scope.$new();
        spUtil.recordWatch(watched, table, filter, fn);
        return watched.$destroy.bind(watched);
    }

    c.lobby.take(c.data);
    $scope.$on('$destroy', stop);
    starting = $timeout(start);
};
