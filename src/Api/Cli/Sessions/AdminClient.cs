using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using SparkGateway.Api.Admin;
using SparkGateway.Domain;

namespace SparkGateway.Api.Cli.Sessions;

/// <summary>The admin API of a running gateway, as the verbs use it. Whatever goes wrong is a sentence.</summary>
internal sealed class AdminClient : IDisposable
{
    private readonly HttpClient http;
    private readonly Uri url;
    private readonly string tokenFile;

    public AdminClient(Uri url, string token, string tokenFile, string person, TimeSpan limit)
    {
        (this.url, this.tokenFile) = (url, tokenFile);
        http = new HttpClient { BaseAddress = url, Timeout = limit };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("spark-gateway-cli", typeof(AdminClient).Assembly.GetName().Version!.ToString(3)));
        if (person.Length > 0) http.DefaultRequestHeaders.TryAddWithoutValidation(Operator.AsHeader, person);
    }

    /// <summary>Path of a session that is named by row id or NAMESPACE/NAME.</summary>
    public static string PathOf(string session) => $"{SessionsApi.Path}/{Uri.EscapeDataString(session)}";

    public Task<Result<T>> GetAsync<T>(string path, CancellationToken cancellation) => SendAsync<T>(HttpMethod.Get, path, null, cancellation);

    public async Task<Result<T>> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: AdminJson.Options);
            using var response = await http.SendAsync(request, cancellation);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadFromJsonAsync<T>(AdminJson.Options, cancellation) is { } value ? value : NotOurs(response)
                : await WhyAsync(response, cancellation);
        }
        catch (HttpRequestException e)
        {
            return GatewayError.Unavailable(Blame.Client,
                $"No gateway answers at {url} ({e.GetBaseException().Message}). Start it, or say where it is: --url, or --config and --set as it was started with.");
        }
        catch (JsonException)
        {
            return GatewayError.Unavailable(Blame.Client, $"What answers at {url} is not the admin API of Spark Gateway; --url must name admin.port.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return GatewayError.Unavailable(Blame.Gateway, $"The gateway at {url} did not answer within {http.Timeout.TotalSeconds:0} s; --timeout allows more, and its /readyz says whether it is well.");
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<GatewayError> WhyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentType?.MediaType != Problem.ContentType) return NotOurs(response);
        var problem = await response.Content.ReadFromJsonAsync<Problem>(AdminJson.Options, cancellation);
        if (problem is null) return NotOurs(response);
        var faults = problem.Errors?.Select(fault => new Fault(fault.Field, fault.Detail)).ToList() ?? [];
        return response.StatusCode switch
        {
            HttpStatusCode.BadRequest => GatewayError.Invalid(problem.Detail) with { Faults = faults },
            HttpStatusCode.Unauthorized => new GatewayError(ErrorCode.Unauthenticated, Blame.Client,
                $"The gateway at {url} does not know the token of {tokenFile}: --token-file must name the file that this gateway reads (admin.token_file, by default state_dir/admin.tokens)."),
            _ => new GatewayError(ErrorCode.Unavailable, Blame.Gateway, problem.Detail),
        };
    }

    private GatewayError NotOurs(HttpResponseMessage response) => GatewayError.Unavailable(Blame.Client,
        $"What answers at {url} is not the admin API of Spark Gateway (HTTP status {(int)response.StatusCode}); --url must name admin.port.");
}
