(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return api.list(call.query(['limit', 'offset', 'state']));
    });
})(request, response);
