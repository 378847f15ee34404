using System.Text;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>
/// Copies a driver's output into its log file and keeps the last lines. The file is bounded: when it is full it becomes
/// NAME.log.1 and a new one begins. A disk that refuses the log never stops the reading, for that would stop the driver.
/// </summary>
internal sealed class DriverLog(string path, long maxBytes, SecretMask mask)
{
    public const int TailLines = 20;
    public const int TailCharacters = 4096;

    // A longer line is cut into pieces, so that a driver cannot make the gateway hold a line without end.
    private const int MaxLine = 8192;

    private readonly Lock gate = new();
    private readonly Queue<string> last = new();
    private FileStream? file;

    public static string FolderIn(string stateDir) => Path.Combine(stateDir, "logs");

    public static string PathIn(string stateDir, SessionName session) => Path.Combine(FolderIn(stateDir), session.Name + ".log");

    /// <summary>The last lines, secrets masked, oldest first.</summary>
    public string Tail()
    {
        string[] lines;
        lock (gate) lines = [.. last];
        var text = string.Join('\n', lines.Select(mask.HideAll));
        return text.Length <= TailCharacters ? text : text[^TailCharacters..];
    }

    public async Task CopyAsync(StreamReader output)
    {
        var buffer = new char[4096];
        var line = new StringBuilder();
        try
        {
            file = Open();
            while (await output.ReadAsync(buffer) is > 0 and var read)
            {
                for (var i = 0; i < read; i++)
                {
                    if (buffer[i] != '\n') line.Append(buffer[i]);
                    if (buffer[i] == '\n' || line.Length == MaxLine) await AddAsync(line);
                }

                if (file is not null) await file.FlushAsync();
            }

            if (line.Length > 0) await AddAsync(line);
        }
        finally
        {
            if (file is not null) await file.DisposeAsync();
        }
    }

    private async ValueTask AddAsync(StringBuilder line)
    {
        var text = mask.HideToken(line.ToString().TrimEnd('\r'));
        line.Clear();
        if (!IsStackFrame(text))
        {
            lock (gate)
            {
                last.Enqueue(text);
                if (last.Count > TailLines) last.Dequeue();
            }
        }

        try
        {
            if (file is null) return;
            if (file.Length >= maxBytes)
            {
                await file.DisposeAsync();
                File.Move(path, path + ".1", overwrite: true);
                file = Open();
            }

            if (file is not null) await file.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file = null;
        }
    }

    // The frames of one Java exception would push its message out of the last lines.
    private static bool IsStackFrame(string line) => line.StartsWith("\tat ", StringComparison.Ordinal);

    private FileStream? Open()
    {
        try
        {
            return OwnerOnly.Open(path, FileMode.Append);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
