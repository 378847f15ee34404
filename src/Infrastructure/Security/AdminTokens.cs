using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;

namespace SparkGateway.Infrastructure.Security;

/// <summary>
/// The bearer tokens of operators. Their file is read at each request, for those are few and a token that was taken out must
/// open nothing any more; a file that is not valid changes nothing.
/// </summary>
public sealed partial class AdminTokens(GatewayOptions options, ILogger<AdminTokens> logger)
{
    internal const string Key = "admin.token_file";

    private const string FirstName = "admin";
    private const int TokenBytes = 32;
    private const string Scheme = "Bearer ";

    private readonly Lock gate = new();
    private readonly string path = FileOf(options);
    private IReadOnlyList<ClientToken> inForce = [];
    private string? known;

    /// <summary>Where the tokens are, also for the command line.</summary>
    public static string FileOf(GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Admin.TokenFile.Length > 0 ? options.Admin.TokenFile : Path.Combine(options.StateDir, "admin.tokens");
    }

    /// <summary>For the command line: the first token of that file, as a client shows it.</summary>
    public static Result<string> FirstOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!Files.TryReadSecret(path).TryGet(out var content, out var unread)) return GatewayError.Invalid($"{path}: {unread.Text}");
        var problems = new List<ConfigProblem>();
        ClientTokenFile.Read(path, problems, Key);
        if (problems is [var problem, ..]) return GatewayError.Invalid(problem.ToString());
        var line = content.Split('\n').Select(text => text.Trim()).First(text => text.Length > 0 && text[0] != '#');
        return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>Reads the tokens, or makes the first; `serve` calls this at start. Null: all is well.</summary>
    public GatewayError? Prepare()
    {
        if (options.Admin.TokenFile.Length == 0 && Make() is { } failed) return failed;
        lock (gate)
        {
            var problems = Read_NeedsLock();
            return problems.Count == 0 ? null : GatewayError.Invalid(string.Join('\n', problems));
        }
    }

    /// <summary>Whose token it is; null: nobody's. Takes the same time for all tokens, right or wrong.</summary>
    /// <param name="authorization">The header's value: Bearer TOKEN.</param>
    public string? NameOf(string? authorization)
    {
        IReadOnlyList<ClientToken> tokens;
        lock (gate)
        {
            foreach (var problem in Read_NeedsLock()) LogNotReloaded(problem.ToString());
            tokens = inForce;
        }

        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        Span<byte> shown = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim()), shown);
        string? name = null;
        foreach (var token in tokens)
            if (CryptographicOperations.FixedTimeEquals(shown, token.Hash)) name = token.Name;
        return name;
    }

    /// <summary>Problems only of a content that was not seen before.</summary>
    private List<ConfigProblem> Read_NeedsLock()
    {
        var problems = new List<ConfigProblem>();
        var seen = Files.TryReadSecret(path).TryGet(out var content, out var error) ? content : error.Text;
        var fingerprint = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(seen)));
        if (fingerprint == known) return problems;
        known = fingerprint;
        var tokens = ClientTokenFile.Read(path, problems, Key);
        if (problems.Count > 0) return problems;
        inForce = tokens;
        LogInForce(tokens.Count, path);
        return problems;
    }

    private GatewayError? Make()
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        try
        {
            var isThere = OwnerOnly.TryMakeOnce(path, $"# Tokens for /api of Spark Gateway, one NAME: TOKEN a line; NAME stands in the audit. Give each operator one of their own.\n{FirstName}: {token}\n");
            return isThere ? null : Advise("its file system refuses a hard link");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Advise(e.Message);
        }
    }

    private GatewayError Advise(string why) =>
        GatewayError.Invalid($"The file {path} with the operators' token cannot be made ({why}): write one with the line NAME: TOKEN, and name it in {Key}.");

    [LoggerMessage(3100, LogLevel.Information, "Tokens of operators in force: {Count}, from {Path}")]
    private partial void LogInForce(int count, string path);

    [LoggerMessage(3101, LogLevel.Error, "The changed tokens of operators are not used, the ones before stay in force: {Problem}")]
    private partial void LogNotReloaded(string problem);
}

public static class SecurityServices
{
    /// <summary>The operators' tokens, read or made before the gateway serves; the folder of its state must be its own by then.</summary>
    public static IServiceCollection AddAdminTokens(this IServiceCollection services) =>
        services.AddSingleton<AdminTokens>().AddSingleton<IStartCheck, AdminTokenCheck>();
}

internal sealed class AdminTokenCheck(AdminTokens tokens) : IStartCheck
{
    public Task<GatewayError?> CheckAsync(CancellationToken cancellation) => Task.FromResult(tokens.Prepare());
}
