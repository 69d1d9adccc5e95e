/**
 * The bare thing beside the portal: xterm on a page of the sidecar itself, which waits for output and sends each
 * key at once. It keeps nothing, repeats nothing and tells nothing.
 */
(function () {
    'use strict';

    /** @param {{session: string, headers: Object, columns: number, rows: number}} setup */
    window.bareTerminal = function (setup) {
        var base = '/api/session/' + setup.session;
        var terminal = new window.Terminal({cols: setup.columns, rows: setup.rows});
        var typed = Promise.resolve();

        function call(method, path, body) {
            return window.fetch(base + path, {
                method: method, headers: setup.headers, body: body && JSON.stringify(body)
            }).then(function (answer) {
                return answer.json();
            });
        }

        function bytes(text) {
            return Uint8Array.from(window.atob(text), function (character) {
                return character.charCodeAt(0);
            });
        }

        function follow(cursor) {
            var query = '?cursor=' + cursor + '&wait=25&maxBytes=1048576&encoding=base64';
            return call('GET', '/output' + query).then(function (answer) {
                terminal.write(bytes(answer.data));
                return follow(answer.nextCursor);
            });
        }

        function type(text) {
            var coded = window.btoa(String.fromCharCode.apply(null, new window.TextEncoder().encode(text)));
            typed = typed.then(function () {
                return call('POST', '/command', {command: coded, mode: 'raw'});
            });
        }

        terminal.open(document.body);
        terminal.onData(type);
        call('GET', '/screen').then(function (screen) {
            terminal.write(screen.ansi);
            follow(screen.offset).catch(function () {
                terminal.write('ended'); // the page is left
            });
        });
    };
}());
