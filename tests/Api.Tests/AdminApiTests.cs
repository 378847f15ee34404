using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace SparkGateway.Api.Tests;

public sealed class AdminApiTests(AdminGateway gateway) : IClassFixture<AdminGateway>
{
    private const string Sessions = AdminGateway.Sessions;

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer nobodys-token-0123456789")]
    [InlineData("Basic YTpi")]
    public async Task Api_NoTokenOrAWrongOne_Is401ForAllPaths(string? authorization)
    {
        using var client = new HttpClient { BaseAddress = gateway.Url };
        if (authorization is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("authorization", authorization);
        foreach (var path in (string[])[Sessions, $"{Sessions}/byod/app-1", "/api/none"])
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
            using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

            Assert.Equal((HttpStatusCode.Unauthorized, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            Assert.Contains("admin.token_file", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Refusals_OfTheApi_AreInTheAudit()
    {
        using var nobody = new HttpClient { BaseAddress = gateway.Url };
        nobody.DefaultRequestHeaders.TryAddWithoutValidation("user-agent", "curl/8.5.0");
        using var refused = await nobody.GetAsync(new Uri(Sessions, UriKind.Relative));
        foreach (var (method, path, body) in new[] { ("DELETE", $"{Sessions}/ns/none", null), ("POST", $"{Sessions}/byod/app-1/extend", """{"minutes": 5}"""), ("GET", $"{Sessions}/ns/none", null) })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Add("x-spark-gateway-as", "rita");
            if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
            using var response = await gateway.Http.SendAsync(request);
            Assert.False(response.IsSuccessStatusCode);
        }

        var rows = await StoreFile.SqliteAsync(gateway.StateDir, "SELECT actor, detail ->> 'code', detail ->> 'request', client_address LIKE '127.0.0.1:%' FROM audit_log WHERE action = 'deny' AND claimed_user IS NULL ORDER BY id");

        Assert.Contains(rows, row => row.StartsWith("|unauthenticated|GET /api/", StringComparison.Ordinal) && row.EndsWith("|1", StringComparison.Ordinal));
        Assert.Equal(
            [$"admin as rita (unverified)|no_such_session|DELETE {Sessions}/ns/none|1", $"admin as rita (unverified)|session_changed|POST {Sessions}/byod/app-1/extend|1"],
            rows.Where(row => row.Contains("rita", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Api_TokenThatWasTakenOut_OpensNothingAnyMore()
    {
        using var client = new HttpClient { BaseAddress = gateway.Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "temporary-0123456789abcdef");
        var before = await File.ReadAllTextAsync(gateway.TokenFile);

        await File.AppendAllTextAsync(gateway.TokenFile, "temporary: temporary-0123456789abcdef\n");
        using var allowed = await client.GetAsync(new Uri(Sessions, UriKind.Relative));
        await File.WriteAllTextAsync(gateway.TokenFile, before);
        using var refused = await client.GetAsync(new Uri(Sessions, UriKind.Relative));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (allowed.StatusCode, refused.StatusCode));
    }

    [Fact]
    public async Task Api_OnTheHealthPort_IsNotThere()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://localhost:{gateway.HealthPort}") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Token);

        foreach (var path in (string[])[Sessions, "/docs", "/openapi/v1.json"])
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        Assert.Equal("ok\n", await client.GetStringAsync(new Uri("/healthz", UriKind.Relative)));
    }

    [Fact]
    public async Task List_PageByPage_HasEachAttachedSessionOnce()
    {
        var names = new List<string>();
        string? after = null;
        do
        {
            var page = await gateway.GetAsync($"{Sessions}?namespace=byod&state=all&limit=2{(after is null ? "" : $"&after={after}")}");
            var items = page.GetProperty("items").EnumerateArray().ToList();
            Assert.InRange(items.Count, 1, 2);
            names.AddRange(items.Select(item => item.GetProperty("session_name").GetString()!));
            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (after is not null);

        Assert.Equal(["app-1", "app-2", "app-3", "app-4", "app-5"], names);
    }

    [Fact]
    public async Task List_NoLimit_HoldsAsManyAsAPageMay()
    {
        var page = await gateway.GetAsync($"{Sessions}?namespace=byod&state=all");

        Assert.Equal(3, page.GetProperty("items").GetArrayLength());
        AdminGateway.AssertUtc(page.GetProperty("items")[0].GetProperty("opened_at"));
    }

    [Fact]
    public async Task List_SeveralFaults_AreToldAtOnce()
    {
        var (status, type, problem) = await gateway.SendAsync(HttpMethod.Get, $"{Sessions}?team=A_B&state=gone&limit=4&after=%25&temm=x&user=a&user=b");

        Assert.Equal((400, "application/problem+json"), (status, type));
        Assert.Equal(["after", "limit", "state", "team", "temm", "user"], AdminGateway.Fields(problem).Order());
        Assert.Equal(("urn:spark-gateway:problem:invalid_argument", 400), (problem.GetProperty("type").GetString(), problem.GetProperty("status").GetInt32()));
    }

    [Theory]
    [InlineData("", """{"team": 5, "environment": "A B", "tema": 1}""", "environment", "team", "tema")]
    [InlineData("", "[]", "")]
    [InlineData("", "{", "")]
    [InlineData("/byod/extend", """{"minute": 5}""", "id", "minute", "minutes")]
    [InlineData("/byod/app-1/extend", """{"minutes": "5"}""", "minutes")]
    [InlineData("/byod/app-1/extend", """{"minutes": 1441}""", "minutes")]
    public async Task Body_SeveralFaults_AreToldAtOnce(string path, string body, params string[] fields)
    {
        var (status, _, problem) = await gateway.SendAsync(HttpMethod.Post, Sessions + path, body);

        Assert.Equal(400, status);
        Assert.Equal(fields, AdminGateway.Fields(problem).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Open_LifeOfASession_IsToldByTheApi()
    {
        var opened = await gateway.OpenAsync();
        var (rowId, id) = (opened.GetProperty("session_row_id").GetString(), opened.GetProperty("client_session_id").GetString()!);
        var name = $"{opened.GetProperty("namespace").GetString()}/{opened.GetProperty("session_name").GetString()}";
        Assert.Equal(("starting", $"sc://localhost:{gateway.SparkPort}/;session_id={id}"), (opened.GetProperty("state").GetString(), opened.GetProperty("connection_string").GetString()));

        var listed = await gateway.GetAsync($"{Sessions}?team=local&state=starting");
        Assert.Contains(listed.GetProperty("items").EnumerateArray(), item => item.GetProperty("session_row_id").GetString() == rowId);

        var log = await AdminGateway.UntilAsync(
            async () => await gateway.SendAsync(HttpMethod.Get, $"{Sessions}/{name}/logs?lines=2"),
            answer => answer.Status == 200 && answer.Body.GetProperty("lines").EnumerateArray().LastOrDefault() is { ValueKind: JsonValueKind.String } line && line.GetString() == "three");
        Assert.Equal(["two password=***", "three"], log.Body.GetProperty("lines").EnumerateArray().Select(line => line.GetString()));

        var extended = await gateway.SendAsync(HttpMethod.Post, $"{Sessions}/{name}/extend", """{"minutes": 5}""");
        Assert.Equal(409, extended.Status);

        var (status, _, closed) = await gateway.SendAsync(HttpMethod.Delete, $"{Sessions}/{rowId}?note=not%20needed");
        Assert.Equal((200, false), (status, closed.GetProperty("was_over").GetBoolean()));
        var detail = await gateway.GetAsync($"{Sessions}/{Uri.EscapeDataString(name)}");
        Assert.Equal("ended", detail.GetProperty("session").GetProperty("state").GetString());
        Assert.Equal("closed_by_operator", detail.GetProperty("session").GetProperty("end_reason").GetString());
        Assert.Equal(id[..8], detail.GetProperty("bindings")[0].GetProperty("client_session_prefix").GetString());
        Assert.Equal(["end", "open"], detail.GetProperty("audit").EnumerateArray().Select(row => row.GetProperty("action").GetString()));
        Assert.DoesNotContain(id, detail.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Close_AttachedSession_KeepsActorAndNoteAndMayBeRepeated()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"{Sessions}/byod/app-5?note=maintenance");
        request.Headers.Add("x-spark-gateway-as", "jane");
        using var response = await gateway.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        var again = await gateway.SendAsync(HttpMethod.Delete, $"{Sessions}/byod/app-5?note=other");
        Assert.True(again.Body.GetProperty("was_over").GetBoolean());
        var detail = await gateway.GetAsync($"{Sessions}/byod/app-5");
        Assert.Equal("admin as jane (unverified): maintenance", detail.GetProperty("session").GetProperty("end_detail").GetString());
        Assert.Equal("admin as jane (unverified)", detail.GetProperty("audit")[0].GetProperty("actor").GetString());
    }

    [Theory]
    [InlineData("GET", "/api/v1/none", 404)]
    [InlineData("GET", $"{Sessions}/a/b/c/d", 404)]
    [InlineData("GET", $"{Sessions}/ns/none", 404)]
    [InlineData("PUT", Sessions, 405)]
    [InlineData("GET", $"{Sessions}/no-id", 400)]
    public async Task Request_ThatLeadsNowhere_IsAProblem(string method, string path, int expected)
    {
        var (status, type, problem) = await gateway.SendAsync(new HttpMethod(method), path);

        Assert.Equal((expected, "application/problem+json", expected), (status, type, problem.GetProperty("status").GetInt32()));
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
    }

    [Theory]
    [InlineData("text/plain", 10, 415)]
    [InlineData("application/json", 3_000, 413)]
    public async Task Body_OfAnotherTypeOrTooLarge_IsAProblem(string type, int length, int expected)
    {
        using var content = new StringContent(new string(' ', length), new MediaTypeHeaderValue(type));
        using var response = await gateway.Http.PostAsync(new Uri(Sessions, UriKind.Relative), content);

        Assert.Equal((expected, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task Description_IsOpenAndComplete()
    {
        using var client = new HttpClient { BaseAddress = gateway.Url };
        using var document = JsonDocument.Parse(await client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)));
        var operations = document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => $"{operation.Name} {path.Name}"));
        using var answer = await client.GetAsync(new Uri("/docs", UriKind.Relative));
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal(
            [$"delete {Sessions}/{{id}}", $"get {Sessions}", $"get {Sessions}/{{id}}", $"get {Sessions}/{{id}}/logs", $"post {Sessions}", $"post {Sessions}/{{id}}/extend"],
            operations.Order(StringComparer.Ordinal));
        Assert.Contains("Spark Gateway", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"https?:", page);
        Assert.StartsWith("default-src 'self';", Assert.Single(answer.Headers.GetValues("content-security-policy")), StringComparison.Ordinal);
    }
}
