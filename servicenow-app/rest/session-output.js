(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return api.output(call.path('id'), call.query(['cursor', 'max_bytes', 'stream', 'after']));
    });
})(request, response);
