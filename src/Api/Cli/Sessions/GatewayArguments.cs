using System.CommandLine;
using System.Net;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Security;

namespace SparkGateway.Api.Cli.Sessions;

/// <summary>Which gateway a verb talks to, as whom, and how it prints: the options that all verbs of `sessions` share.</summary>
internal sealed class GatewayArguments
{
    private const string Json = "json";

    private readonly Option<string?> url = new("--url") { Description = SessionTexts.Url, HelpName = "URL" };
    private readonly Option<string?> tokenFile = new("--token-file") { Description = SessionTexts.TokenFile, HelpName = "FILE" };
    private readonly Option<string?> person = new("--as") { Description = SessionTexts.As, HelpName = "NAME" };
    private readonly Option<int> timeout = new("--timeout") { Description = SessionTexts.Timeout, HelpName = "SECONDS", DefaultValueFactory = _ => 30 };
    private readonly Option<string> output = new("--output", "-o") { Description = SessionTexts.Output, HelpName = "table|json", DefaultValueFactory = _ => "table" };
    private readonly ConfigArguments configuration;

    public GatewayArguments(Command verb)
    {
        output.AcceptOnlyFromAmong("table", Json);
        timeout.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var seconds) || seconds is < 1 or > 3600)) result.AddError("--timeout must be 1 to 3600.");
        });
        verb.Add(url);
        verb.Add(tokenFile);
        verb.Add(person);
        verb.Add(timeout);
        verb.Add(output);
        configuration = new ConfigArguments(verb);
    }

    public bool IsJson(ParseResult arguments) => arguments.GetValue(output) == Json;

    /// <summary>One question and its answer, printed as JSON or by <paramref name="print"/>.</summary>
    public Task<int> RunAsync<T>(ParseResult arguments, CliConsole console, Func<AdminClient, Task<Result<T>>> ask, Action<T> print) =>
        WithClientAsync(arguments, console, async client =>
        {
            var answer = await ask(client);
            return answer.TryGet(out var value, out var error) ? Print(arguments, console, value, print) : console.Fail(error);
        });

    /// <summary>Where one of URL and file is not said, the configuration of the gateway says it.</summary>
    public async Task<int> WithClientAsync(ParseResult arguments, CliConsole console, Func<AdminClient, Task<int>> run)
    {
        var (address, file) = (arguments.GetValue(url), arguments.GetValue(tokenFile));
        if (address is null || file is null)
        {
            var config = GatewayConfig.Load(configuration.Read(arguments));
            if (config.Problems.Count > 0) return console.Refuse(config.Problems);
            address ??= UrlOf(config.Options.Admin);
            file ??= AdminTokens.FileOf(config.Options);
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var root) || root.Scheme is not ("http" or "https"))
            return console.Refuse($"'{address}' is no address of a gateway; --url takes for example http://127.0.0.1:8080.");
        if (!AdminTokens.FirstOf(file).TryGet(out var token, out var unread)) return console.Refuse($"{unread.Text} {SessionTexts.WhereTokensAre}");

        using var client = new AdminClient(root, token, file, arguments.GetValue(person) ?? Environment.UserName, TimeSpan.FromSeconds(arguments.GetValue(timeout)));
        return await run(client);
    }

    private int Print<T>(ParseResult arguments, CliConsole console, T value, Action<T> print)
    {
        if (IsJson(arguments)) console.Out.WriteLine(SessionPrinter.ToJson(value));
        else print(value);
        return ExitCode.Ok;
    }

    private static string UrlOf(AdminOptions admin)
    {
        var bind = IPAddress.Parse(admin.Bind);
        if (bind.Equals(IPAddress.Any)) bind = IPAddress.Loopback;
        if (bind.Equals(IPAddress.IPv6Any)) bind = IPAddress.IPv6Loopback;
        return $"http://{new IPEndPoint(bind, admin.Port)}";
    }
}

internal static class SessionConsole
{
    /// <summary>A line for each fault of the input; an input that is wrong is the caller's exit code, everything else a failure.</summary>
    public static int Fail(this CliConsole console, GatewayError error)
    {
        var exitCode = error.Code == ErrorCode.InvalidArgument ? ExitCode.Refused : ExitCode.Failed;
        if (error.Faults.Count == 0) return console.Fail(error.Text, exitCode);
        foreach (var fault in error.Faults) console.Fail(fault.Text, exitCode);
        return exitCode;
    }
}
