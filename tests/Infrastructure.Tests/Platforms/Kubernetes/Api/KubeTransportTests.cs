using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>What is repeated, what is waited for, and what is given up.</summary>
public sealed class KubeTransportTests : IAsyncLifetime
{
    private const string Application = """{"kind": "SparkApplication", "metadata": {"namespace": "a", "name": "b", "uid": "u", "resourceVersion": "1"}}""";
    private const string Crowded = """{"kind": "Status", "status": "Failure", "code": 429, "reason": "TooManyRequests", "message": "too many"}""";
    private const string Broken = """{"kind": "Status", "status": "Failure", "code": 503, "reason": "ServiceUnavailable", "message": "etcd is away"}""";
    private static readonly ObjectKey Key = new("a", "b");

    private readonly ScriptedApi server = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Create_Overloaded_WaitsAsLongAsAskedAndTriesAgain()
    {
        var time = new WatchedTime();
        await using var gateway = server.Client(time: time);
        var call = gateway.Api.CreateAsync(Applications.Kind, Applications.Named("a", "b"), dryRun: false, Cancellation);

        await server.AnswerAsync(429, Crowded, "Retry-After: 7\r\n");
        await time.TimerAsync(TimeSpan.FromSeconds(7), Cancellation);
        time.Advance(TimeSpan.FromSeconds(7));
        var second = await server.AnswerAsync(201, Application);

        Assert.Equal("POST", second.Method);
        Assert.Equal("u", (await call).Value.Uid);
    }

    [Fact]
    public async Task Get_AskedToWaitBeyondTheCallsLimit_GivesUpAtOnce()
    {
        await using var gateway = server.Client(options => options.CallLimitSeconds = 10);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        await server.AnswerAsync(429, Crowded, "Retry-After: 11\r\n");

        Assert.Equal(KubeFailure.Overload, (await call).Error?.Failure);
    }

    [Fact]
    public async Task Get_ServerFails_IsRepeatedAsOftenAsAllowed()
    {
        await using var gateway = server.Client(options => options.RetryAttempts = 2);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        for (var i = 0; i < 3; i++) await server.AnswerAsync(503, Broken);

        var error = (await call).Error;
        Assert.Equal(KubeFailure.Unreachable, error?.Failure);
        Assert.Contains("etcd is away", error!.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ServerFails_IsNotRepeated()
    {
        await using var gateway = server.Client();
        var call = gateway.Api.CreateAsync(Applications.Kind, Applications.Named("a", "b"), dryRun: false, Cancellation);

        await server.AnswerAsync(503, Broken);

        Assert.Equal(KubeFailure.Unreachable, (await call).Error?.Failure);
    }

    [Fact]
    public async Task Create_ConnectionBreaksAfterIt_IsNotRepeated()
    {
        await using var gateway = server.Client();
        var call = gateway.Api.CreateAsync(Applications.Kind, Applications.Named("a", "b"), dryRun: false, Cancellation);

        using (await server.NextAsync())
        {
            // Closed without an answer.
        }

        Assert.Equal(KubeFailure.Unreachable, (await call).Error?.Failure);
    }

    [Fact]
    public async Task Get_Silence_EndsAtTheTimeout()
    {
        var time = new WatchedTime();
        await using var gateway = server.Client(options => (options.RequestTimeoutSeconds, options.RetryAttempts) = (9, 0), time);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        using var request = await server.NextAsync();
        time.Advance(TimeSpan.FromSeconds(9));

        Assert.Contains("did not answer within 9 s", (await call).Error?.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_BodyThatTricklesIn_EndsAtTheTimeout()
    {
        var time = new WatchedTime();
        await using var gateway = server.Client(options => (options.RequestTimeoutSeconds, options.RetryAttempts) = (9, 0), time);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        using var request = await server.NextAsync();
        await request.BeginAsync();
        await request.WriteAsync("{\"metadata\": ");
        time.Advance(TimeSpan.FromSeconds(9));

        Assert.Equal(KubeFailure.Unreachable, (await call).Error?.Failure);
    }

    [Theory]
    [InlineData(200, "<html><body>Log in</body></html>")]
    [InlineData(502, "<html><body>Bad Gateway</body></html>")]
    [InlineData(200, "{\"metadata\": {\"name\": \"b\"")]
    [InlineData(200, "[]")]
    [InlineData(302, "")]
    public async Task Get_AnswerOfNoApiServer_IsUnreachable(int code, string body)
    {
        await using var gateway = server.Client(options => options.RetryAttempts = 0);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        await server.AnswerAsync(code, body);

        var error = (await call).Error;
        Assert.Equal(KubeFailure.Unreachable, error?.Failure);
        Assert.Contains("no API server", error!.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<html>", error.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_AnswerTooLarge_IsFinalAndNamesTheKey()
    {
        await using var gateway = server.Client(options => options.MaxResponseMegabytes = 1);
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        await FloodAsync();

        var error = (await call.WaitAsync(LocalHarness.Patience, Cancellation)).Error;
        Assert.Equal((KubeFailure.TooLarge, ErrorCode.StartFailed), (error?.Failure, error?.Error.Code));
        Assert.EndsWith("raise kubernetes.max_response_megabytes or lower kubernetes.list_page_items.", error!.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_SecondPageTooLarge_IsFinal()
    {
        await using var gateway = server.Client(options => options.MaxResponseMegabytes = 1);
        var call = gateway.Api.ListAsync(Applications.Kind, null, null, null, Cancellation);

        await server.AnswerAsync(200, """{"kind": "List", "metadata": {"resourceVersion": "5", "continue": "more"}, "items": []}""");
        await FloodAsync();

        var error = (await call.WaitAsync(LocalHarness.Patience, Cancellation)).Error;
        Assert.Equal(KubeFailure.TooLarge, error?.Failure);
        Assert.Contains("list sparkapplications.sparkoperator.k8s.io in all namespaces is larger than 1048576 bytes", error!.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_PagesExpireOnTheWay_BeginsAnew()
    {
        await using var gateway = server.Client();
        var call = gateway.Api.ListAsync(Applications.Kind, null, null, null, Cancellation);

        await server.AnswerAsync(200, """{"kind": "List", "metadata": {"resourceVersion": "5", "continue": "more"}, "items": [{"metadata": {"name": "gone", "uid": "1"}}]}""");
        var second = await server.AnswerAsync(410, """{"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "The provided continue parameter is too old"}""");
        var third = await server.AnswerAsync(200, """{"kind": "List", "metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "here", "uid": "2"}}]}""");

        Assert.Equal(("more", ""), (second.Query("continue"), third.Query("continue")));
        Assert.Equal("here", Assert.Single((await call).Value).Key.Name);
    }

    [Fact]
    public async Task ClusterProxy_WithToken_GetsBelowItsPath()
    {
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, "proxy-token\n", Cancellation);
        await using var gateway = server.Client(options => options.ProxyTokenFile = token, path: "/clusters/blue");
        var call = gateway.Api.GetAsync(Applications.Kind, Key, Cancellation);

        var request = await server.AnswerAsync(200, Application);

        Assert.Equal("/clusters/blue/apis/sparkoperator.k8s.io/v1beta2/namespaces/a/sparkapplications/b", request.Target);
        Assert.Equal("Bearer proxy-token", request.Headers["Authorization"]);
        Assert.Equal("spark-gateway", request.Headers["User-Agent"]);
        Assert.True((await call).IsOk);
        File.Delete(token);
    }

    [Fact]
    public async Task ClusterProxy_RefusesTheToken_IsAskedOnceMoreWithTheFilesNewOne()
    {
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, "old", Cancellation);
        await using var gateway = server.Client(options => options.ProxyTokenFile = token);
        var call = gateway.Api.CreateAsync(Applications.Kind, Applications.Named("a", "b"), dryRun: false, Cancellation);

        using var first = await server.NextAsync();
        await File.WriteAllTextAsync(token, "new", Cancellation);
        await first.AnswerAsync(401, "");
        var second = await server.AnswerAsync(401, "");

        Assert.Equal("Bearer new", second.Headers["Authorization"]);
        Assert.Equal(KubeFailure.Unauthorized, (await call).Error?.Failure);
        Assert.DoesNotContain("new", gateway.Logs.Text, StringComparison.Ordinal);
        File.Delete(token);
    }

    [Fact]
    public async Task Delete_SendsTheUidAndDeletesInTheBackground()
    {
        await using var gateway = server.Client();
        var call = gateway.Api.DeleteAsync(Applications.Kind, Key, "u-1", Cancellation);

        var request = await server.AnswerAsync(200, "{}");

        Assert.Contains("\"propagationPolicy\":\"Background\",\"preconditions\":{\"uid\":\"u-1\"}", request.Body, StringComparison.Ordinal);
        Assert.True((await call).Value);
    }

    [Fact]
    public async Task Name_WithASlash_StaysOneSegment()
    {
        await using var gateway = server.Client();
        var call = gateway.Api.GetAsync(Applications.Kind, new ObjectKey("a/b", "../c?x"), Cancellation);

        var request = await server.AnswerAsync(404, "404 page not found");

        Assert.EndsWith("/namespaces/a%2Fb/sparkapplications/..%2Fc%3Fx", request.Target, StringComparison.Ordinal);
        Assert.Null((await call).Value);
    }

    private async Task FloodAsync()
    {
        using var request = await server.NextAsync();
        await request.BeginAsync();
        await request.FloodAsync();
    }
}
