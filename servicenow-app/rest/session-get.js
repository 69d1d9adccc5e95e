(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return api.get(call.path('id'));
    });
})(request, response);
