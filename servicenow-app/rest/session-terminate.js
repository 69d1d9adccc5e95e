(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(202, function (api, call) {
        return api.terminate(call.path('id'));
    });
})(request, response);
