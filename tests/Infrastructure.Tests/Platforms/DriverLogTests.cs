using System.Text;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public sealed class DriverLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-log-").FullName;

    private string LogPath => Path.Combine(folder, "driver.log");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Copy_FullFile_IsPutAsideOnceAndBothStayBounded()
    {
        const int max = 10_000;
        var log = await CopyAsync(string.Concat(Enumerable.Range(0, 5_000).Select(i => $"line {i}\n")), max);

        Assert.Equal(2, Directory.GetFiles(folder).Length);
        Assert.InRange(new FileInfo(LogPath).Length, 1, max + 100);
        Assert.InRange(new FileInfo(LogPath + ".1").Length, max, max + 100);
        Assert.EndsWith("line 4999\n", await File.ReadAllTextAsync(LogPath), StringComparison.Ordinal);
        Assert.Equal(string.Join('\n', Enumerable.Range(4_980, DriverLog.TailLines).Select(i => $"line {i}")), log.Tail());
    }

    [Fact]
    public async Task Copy_File_IsTheOwnersAlone()
    {
        await CopyAsync("text\n");

        Assert.False(OwnerOnly.OthersMayRead(LogPath));
    }

    [Fact]
    public async Task Tail_LongLines_IsBounded()
    {
        var log = await CopyAsync(new string('x', 1_000_000) + "\nlast");

        Assert.Equal(DriverLog.TailCharacters, log.Tail().Length);
        Assert.EndsWith("x\nlast", log.Tail(), StringComparison.Ordinal);
        Assert.Equal(1_000_000, (await File.ReadAllTextAsync(LogPath)).Count(character => character == 'x'));
    }

    [Fact]
    public async Task Tail_JavaException_KeepsMessagesAndDropsFrames()
    {
        var log = await CopyAsync($"cause\n{string.Concat(Enumerable.Repeat("\tat some.Frame(Some.java:1)\n", 50))}");

        Assert.Equal("cause", log.Tail());
        Assert.Equal(51, (await File.ReadAllLinesAsync(LogPath)).Length);
    }

    [Fact]
    public async Task Copy_FileCannotBeWritten_StillReadsToTheEnd()
    {
        Directory.CreateDirectory(LogPath);

        var log = await CopyAsync("one\ntwo\n");

        Assert.Equal("one\ntwo", log.Tail());
    }

    [Theory]
    [InlineData("using t0k3n here", "using *** here")]
    [InlineData("fs.s3a.secret.key=abc next", "fs.s3a.secret.key=*** next")]
    [InlineData("password: hunter2", "password: ***")]
    [InlineData("{\"access_key\": \"AKIA\", \"b\": 1}", "{\"access_key\": \"***\", \"b\": 1}")]
    [InlineData("jdbc:x://h/?user=u&password=p&ssl=1", "jdbc:x://h/?user=u&password=***&ssl=1")]
    [InlineData("Authorization: Bearer abc.def", "Authorization: Bearer ***")]
    [InlineData("tokens are fine, 3 secrets too", "tokens are fine, 3 secrets too")]
    public void HideAll_Line_HidesSecretsOnly(string line, string shown) => Assert.Equal(shown, new SecretMask("t0k3n").HideAll(line));

    private async Task<DriverLog> CopyAsync(string output, long maxBytes = 100_000_000)
    {
        var log = new DriverLog(LogPath, maxBytes, new SecretMask(null));
        using var reader = new StreamReader(new MemoryStream(Encoding.UTF8.GetBytes(output)));
        await log.CopyAsync(reader);
        return log;
    }
}
