using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms;

/// <summary>Derives the tokens of on-demand drivers from one key, and reads those of attached drivers from their files.</summary>
public sealed partial class DriverTokens(GatewayOptions options, AttachedSessions attached, ILogger<DriverTokens> logger) : IDriverTokens
{
    private const int KeyBytes = 32;
    private const int MaxFileBytes = 64 * 1024;

    private readonly Lock gate = new();
    private readonly HashSet<string> warned = [];
    private byte[]? key;

    /// <summary>Reads the key, or makes it; `serve` calls this at start. Null: all is well.</summary>
    public GatewayError? Verify() => IsSail ? null : Key().Error;

    public string? ForOnDemand(Guid sessionId) => IsSail
        ? null
        : Base64Url.EncodeToString(HMACSHA256.HashData(Key().Value, Encoding.UTF8.GetBytes(sessionId.ToString("D"))));

    private bool IsSail => options is { Platform: Session.LocalPlatform, Local.Engine: "sail" };

    /// <summary>The file is read each time a route is made, so a changed token counts from the next route on.</summary>
    public string? ForAttached(SessionName name)
    {
        if (attached.Current.FirstOrDefault(driver => driver.Name == name)?.TokenFile is not { } file) return null;
        if (ReadSecret(file).TryGet(out var token, out var error)) return token;

        // An empty token is refused by the driver. Null would hand it the client's own authorization.
        LogUnreadable(name, error.Text);
        return "";
    }

    private Result<byte[]> Key()
    {
        lock (gate)
        {
            if (key is not null) return key;
            var configured = options.DriverTokenKeyFile.Length > 0;
            var path = configured ? options.DriverTokenKeyFile : Path.Combine(options.StateDir, "driver-token.key");
            if (!configured && !File.Exists(path) && Make(path) is { } failed) return failed;
            if (!ReadSecret(path).TryGet(out var text, out var error)) return Advise(error.Text);
            var bytes = new byte[text.Length];
            if (!Convert.TryFromBase64String(text, bytes, out var length) || length < KeyBytes) return Advise($"The key file {path} must hold at least {KeyBytes} random bytes in base64.");
            return key = bytes[..length];
        }
    }

    private static GatewayError? Make(string path)
    {
        try
        {
            var isThere = OwnerOnly.TryMakeOnce(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)) + "\n");
            return isThere ? null : Advise($"The key file {path} cannot be made: its file system refuses a hard link.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Advise($"The key file {path} cannot be made: {e.Message}");
        }
    }

    private Result<string> ReadSecret(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes }) return GatewayError.Invalid($"The file {path} is longer than {MaxFileBytes} bytes, so it holds no secret.");
            var text = File.ReadAllText(path).Trim();
            if (Files.IsOpenToAll(path)) WarnOnce(path);
            return text.Length > 0 && text.All(character => character is > ' ' and < '\x7f') ? text : GatewayError.Invalid($"The file {path} must hold one line of printable characters.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return GatewayError.Invalid($"The file {path} cannot be read: {e.Message}");
        }
    }

    private void WarnOnce(string path)
    {
        lock (gate)
        {
            if (!warned.Add(path)) return;
        }

        LogReadable(path);
    }

    private static GatewayError Advise(string what) =>
        new(ErrorCode.StartFailed, Blame.Gateway, $"{what} Driver tokens derive from this key: write one with `head -c 32 /dev/urandom | base64`, readable by the gateway only, or set driver_token_key_file.");

    [LoggerMessage(3010, LogLevel.Warning, "The file {Path} holds a secret and can be read by every user of this machine: chmod o-rwx it")]
    private partial void LogReadable(string path);

    [LoggerMessage(3011, LogLevel.Error, "The token of attached session {Session} cannot be used, so its driver will refuse all calls: {Reason}")]
    private partial void LogUnreadable(SessionName session, string reason);
}
