using System.Text;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Reading files that a user named: what can go wrong is a sentence, not an exception.</summary>
internal static class Files
{
    /// <summary>A hundred times the largest configuration that makes sense: what is larger is the wrong file.</summary>
    private const long MaxConfigBytes = 1_048_576;

    private const UnixFileMode OpenToAll = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static Result<string> TryReadConfig(string path) => TryRead(path, isSecret: false);

    /// <summary>As a configuration, but refused if it is open to every user of the machine.</summary>
    public static Result<string> TryReadSecret(string path) => TryRead(path, isSecret: true);

    /// <summary>Every user of the machine may read or write it. A group may: that is how a pod is given the files of a Secret.</summary>
    public static bool IsOpenToAll(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & OpenToAll) != 0;

    private static Result<string> TryRead(string path, bool isSecret)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (isSecret && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(stream.SafeFileHandle) & OpenToAll) != 0)
                return Refuse("every user of this machine may read or write the file; take that right away: chmod o-rwx FILE (of a Kubernetes Secret: defaultMode: 0440).");
            if (stream.CanSeek && stream.Length > MaxConfigBytes) return Refuse($"the file is larger than {MaxConfigBytes} bytes and no configuration; correct the path.");
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Refuse(Why(path, e));
        }
    }

    /// <summary>Null if the file can be read.</summary>
    public static string? WhyUnreadable(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Why(path, e);
        }
    }

    private static string Why(string path, Exception e) => e switch
    {
        _ when Directory.Exists(path) => "this is a folder; name a file.",
        FileNotFoundException or DirectoryNotFoundException => "the file does not exist; correct the path, or create the file.",
        UnauthorizedAccessException => "the file may not be read by this user; change its owner or mode.",
        _ => $"the file cannot be read ({e.Message.ReplaceLineEndings(" ")}).",
    };

    private static Result<string> Refuse(string text) => GatewayError.Invalid(text);
}
